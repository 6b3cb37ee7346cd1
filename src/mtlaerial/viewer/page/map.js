// The map: an empty style, its controls, and how it is moved to places.
import {
  AttributionControl, FullscreenControl, Map as MapLibreMap, NavigationControl, ScaleControl,
} from "./vendor/maplibre-gl/maplibre-gl.mjs";
import { reportProblem } from "./server.js";

export function createMap(places) {
  const map = new MapLibreMap({
    container: "map",
    style: { version: 8, sources: {}, layers: [] },
    bounds: around(places),
    fitBoundsOptions: { padding: 20, maxZoom: 20 },
    maxZoom: 24,
    maxPitch: 80,
    renderWorldCopies: false,
    attributionControl: false,
  });
  map.addControl(new NavigationControl({ visualizePitch: true }), "top-right");
  map.addControl(new FullscreenControl(), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  map.on("error", (event) => reportProblem(problemOf(event.error)));
  return new Promise((resolve) => map.once("load", () => resolve(map)));
}

export function fit(map, places) {
  map.fitBounds(around(places), { padding: 20, maxZoom: 20 });
}

function around(places) {
  const bounds = places.map((place) => place.bounds);
  const corner = (index, pick) => pick(...bounds.map((each) => each[index]));
  return [[corner(0, Math.min), corner(1, Math.min)], [corner(2, Math.max), corner(3, Math.max)]];
}

function problemOf(error) {
  return error?.status ? `The server answered ${error.status}; its terminal says why.` : error?.message ?? "The map failed.";
}
