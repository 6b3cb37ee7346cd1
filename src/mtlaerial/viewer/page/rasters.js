// Layers of rasters: tiles that the server draws.
import { legendOf } from "./legend.js";

export function addRasters(map, layers) {
  const image = layers.some((layer) => layer.kind === "image");
  // The list has the most telling layer first; on the map the first added is the lowest.
  for (const layer of layers.toReversed()) addRaster(map, layer, isFirst(layer, layers), image);
  return layers.map((layer) => rowOf(map, layer, isFirst(layer, layers), image));
}

function isFirst(layer, layers) {
  return layer.kind === "image" || layer === layers.find((each) => each.kind !== "image");
}

function firstOpacity(layer, image) {
  return layer.kind === "image" || !image ? 1 : 0.6;
}

function addRaster(map, layer, shown, image) {
  map.addSource(layer.key, {
    type: "raster",
    tiles: [tilesOf(layer, 1)],
    tileSize: 512,
    bounds: layer.bounds,
    maxzoom: layer.zoom,
  });
  map.addLayer({
    id: layer.key,
    type: "raster",
    source: layer.key,
    layout: { visibility: shown ? "visible" : "none" },
    paint: {
      "raster-opacity": firstOpacity(layer, image),
      "raster-resampling": layer.kind === "image" ? "linear" : "nearest",
      "raster-fade-duration": 0,
    },
  });
}

function tilesOf(layer, band) {
  return new URL(`tiles/${layer.key}/`, document.baseURI).href + `{z}/{x}/{y}.png?band=${band}&start=${layer.start}`;
}

function rowOf(map, layer, shown, image) {
  return {
    key: layer.key,
    title: layer.unit ? `${layer.title} (${layer.unit})` : layer.title,
    shown,
    opacity: firstOpacity(layer, image),
    legend: legendOf(layer),
    choices: layer.bands.length > 1 ? { label: layer.choice, names: layer.bands } : null,
    show: (visible) => map.setLayoutProperty(layer.key, "visibility", visible ? "visible" : "none"),
    fade: (opacity) => map.setPaintProperty(layer.key, "raster-opacity", opacity),
    choose: (index) => map.getSource(layer.key).setTiles([tilesOf(layer, index + 1)]),
  };
}
