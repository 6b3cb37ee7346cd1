// Polygons of GeoPackages: outlines and solids, of what the map looks at.
import { reportProblem, requestJson } from "./server.js";

const LINE = "#10151f";
const WALL = "#c8574a";

export function addObjects(map, layers) {
  const counts = new Map();
  for (const layer of layers) {
    addLayers(map, layer);
    keepLoaded(map, layer, counts);
  }
  return layers.map((layer) => rowOf(map, layer));
}

export const solidOf = (key) => `${key}-solid`;
export const fillOf = (key) => `${key}-fill`;
const lineOf = (key) => `${key}-line`;

function addLayers(map, layer) {
  const source = layer.key;
  map.addSource(source, { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  map.addLayer({ id: fillOf(source), type: "fill", source, paint: { "fill-color": WALL, "fill-opacity": 0.25 } });
  map.addLayer({ id: lineOf(source), type: "line", source, paint: { "line-color": LINE, "line-width": 1.5 } });
  if (!layer.tall) return;
  map.addLayer({
    id: solidOf(source),
    type: "fill-extrusion",
    source,
    layout: { visibility: "none" },
    paint: {
      "fill-extrusion-color": WALL,
      "fill-extrusion-height": ["max", 0, ["to-number", ["get", layer.tall], 0]],
      "fill-extrusion-opacity": 0.9,
    },
  });
}

function keepLoaded(map, layer, counts) {
  let request = new AbortController();
  const load = async () => {
    request.abort();
    request = new AbortController();
    try {
      const found = await requestJson(`objects/${layer.key}?${query(map.getBounds())}`, request.signal);
      map.getSource(layer.key).setData(found);
      counts.set(layer.title, found.complete ? null : found.features.length);
      showCounts(counts);
    } catch (error) {
      if (error.name !== "AbortError") reportProblem(error.message);
    }
  };
  map.on("moveend", load);
  load();
}

function query(bounds) {
  return new URLSearchParams({
    west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth(),
  });
}

function showCounts(counts) {
  const partial = [...counts].filter(([, count]) => count !== null);
  document.getElementById("counts").textContent = partial
    .map(([title, count]) => `${title}: the first ${count.toLocaleString("en")} in view; zoom in for all.`)
    .join(" ");
}

function rowOf(map, layer) {
  const solid = layer.tall ? solidOf(layer.key) : null;
  const row = {
    key: layer.key,
    title: `${layer.title} (${layer.features.toLocaleString("en")})`,
    shown: true,
    opacity: 1,
    legend: null,
    choices: null,
    solid,
    raised: false,
    show: (visible) => {
      row.shown = visible;
      row.update();
    },
    raise: (raised) => {
      row.raised = raised && solid !== null;
      row.update();
    },
    update: () => {
      const set = (id, visible) => map.setLayoutProperty(id, "visibility", visible ? "visible" : "none");
      set(fillOf(layer.key), row.shown && !row.raised);
      set(lineOf(layer.key), row.shown && !row.raised);
      if (solid) set(solid, row.shown && row.raised);
    },
    fade: (opacity) => {
      map.setPaintProperty(fillOf(layer.key), "fill-opacity", 0.25 * opacity);
      map.setPaintProperty(lineOf(layer.key), "line-opacity", opacity);
      if (solid) map.setPaintProperty(solid, "fill-extrusion-opacity", 0.9 * opacity);
    },
  };
  return row;
}
