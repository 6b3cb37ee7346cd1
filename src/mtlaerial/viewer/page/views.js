// Views: flat, terrain of the predicted heights, and objects as solids on flat ground.
const TERRAIN = "terrain";
const TILTED = { pitch: 60, bearing: -20 };

export function offerViews(map, layers, objects) {
  const heights = layers.find((layer) => layer.terrain);
  const solids = objects.some((row) => row.solid);
  const radios = [...document.querySelectorAll("input[name=view]")];
  const available = { flat: true, terrain: Boolean(heights), buildings: solids };
  for (const radio of radios) radio.disabled = !available[radio.value];
  document.getElementById("views").hidden = !heights && !solids;
  if (heights) addTerrainSource(map, heights);
  const change = (view) => {
    // Solids would stand on terrain that has their heights already.
    map.setTerrain(view === "terrain" ? { source: TERRAIN, exaggeration: 1 } : null);
    for (const row of objects) row.raise(view === "buildings");
    map.easeTo(view === "flat" ? { pitch: 0, bearing: 0 } : TILTED);
  };
  for (const radio of radios) radio.addEventListener("change", () => change(radio.value));
}

function addTerrainSource(map, layer) {
  map.addSource(TERRAIN, {
    type: "raster-dem",
    tiles: [new URL(`terrain/${layer.key}/`, document.baseURI).href + `{z}/{x}/{y}.png?start=${layer.start}`],
    encoding: "terrarium",
    tileSize: 256,
    bounds: layer.bounds,
    maxzoom: layer.zoom + 1,
  });
}
