// Values at a place: those of all rasters, and the attributes of the objects there.
import { Marker } from "./vendor/maplibre-gl/maplibre-gl.mjs";
import { fillOf, solidOf } from "./objects.js";
import { requestJson } from "./server.js";

const DIGITS = 5;

export function readValues(map, objects) {
  const marker = new Marker({ element: Object.assign(document.createElement("div"), { className: "probe" }) });
  marker.getElement().setAttribute("aria-hidden", "true");
  const read = async (place, point) => {
    marker.setLngLat(place).addTo(map);
    const found = objectsAt(map, objects, point);
    await show(place, found);
  };
  map.on("click", (event) => read(event.lngLat, event.point));
  const readCentre = () => read(map.getCenter(), map.project(map.getCenter()));
  document.getElementById("centre").addEventListener("click", readCentre);
  map.getCanvas().addEventListener("keydown", (event) => event.key === "Enter" && readCentre());
}

function objectsAt(map, objects, point) {
  const byLayer = objects.flatMap((layer) => [[fillOf(layer.key), layer], [solidOf(layer.key), layer]]);
  const layers = byLayer.filter(([id]) => map.getLayer(id));
  const features = map.queryRenderedFeatures(point, { layers: layers.map(([id]) => id) });
  const found = features.map((feature) => ({ layer: new Map(layers).get(feature.layer.id), feature }));
  // A feature on the edge of two of MapLibre's tiles is found twice.
  return [...new Map(found.map((each) => [each.layer.key + JSON.stringify(each.feature.properties), each])).values()];
}

async function show(place, found) {
  const box = document.getElementById("values");
  const where = new URLSearchParams({ lng: place.lng, lat: place.lat });
  try {
    const layers = await requestJson(`values?${where}`);
    const objects = found.map(({ layer, feature }) => table(layer.title, attributes(layer, feature.properties)));
    box.replaceChildren(...objects, ...rasters(layers));
  } catch (error) {
    box.replaceChildren(note(error.message));
  }
  if (matchMedia("(max-width: 760px)").matches) box.scrollIntoView({ block: "nearest" });
}

// Layers of one value share a table; those of several, such as probabilities, have one each, the greatest value first.
function rasters(layers) {
  if (!layers.length) return [note("No raster has a value here.")];
  const single = layers.filter((layer) => layer.values.length === 1);
  const several = layers.filter((layer) => layer.values.length > 1);
  const rows = single.map(({ title, unit, values: [{ value, class: name }] }) => [title, name ?? text(value, unit), value]);
  const sorted = (values) => values.toSorted((first, second) => second.value - first.value);
  const tables = several.map(({ title, unit, kind, values }) =>
    table(title, (kind === "image" ? values : sorted(values)).map(({ name, value }) => [name, text(value, unit), value])));
  return rows.length ? [table("Rasters", rows), ...tables] : tables;
}

function attributes(layer, properties) {
  return Object.entries(properties)
    .filter(([, value]) => value !== null && value !== "null")
    .map(([name, value]) => [name, typeof value === "number" ? text(value, layer.units[name]) : String(value), value]);
}

function text(value, unit) {
  const number = Number.isInteger(value) ? value : Number(value.toPrecision(DIGITS));
  return unit ? `${number}\u00a0${unit}` : String(number);
}

function table(title, rows) {
  const element = document.createElement("table");
  element.append(Object.assign(document.createElement("caption"), { textContent: title }));
  for (const [name, text, value] of rows) {
    const row = element.insertRow();
    const head = Object.assign(document.createElement("th"), { textContent: name, scope: "row" });
    row.append(head);
    const cell = row.insertCell();
    cell.textContent = text;
    cell.dataset.value = value;
  }
  return element;
}

function note(text) {
  return Object.assign(document.createElement("p"), { textContent: text, className: "hint" });
}
