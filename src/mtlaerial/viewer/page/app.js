// The page: what the folder holds, shown on the map and listed in the panel.
import { addRasters } from "./rasters.js";
import { addObjects } from "./objects.js";
import { createMap, fit } from "./map.js";
import { reportProblem, requestJson } from "./server.js";
import { listLayers } from "./panel.js";
import { offerViews } from "./views.js";
import { readValues } from "./values.js";

async function start() {
  const catalog = await requestJson("catalog");
  document.title = `${catalog.title}: maps`;
  document.getElementById("title").textContent = catalog.title;
  showNotes(catalog.notes);
  const map = await createMap(catalog.places);
  const rasters = addRasters(map, catalog.layers);
  const objects = addObjects(map, catalog.objects);
  listLayers([...objects, ...rasters]);
  offerPlaces(map, catalog.places);
  offerViews(map, catalog.layers, objects);
  readValues(map, catalog.objects);
  globalThis.viewer = { map };
}

function showNotes(notes) {
  const list = document.getElementById("notes");
  list.hidden = !notes.length;
  for (const note of notes) list.append(Object.assign(document.createElement("li"), { textContent: note }));
}

function offerPlaces(map, places) {
  const label = document.getElementById("places");
  label.hidden = places.length < 2;
  const select = label.querySelector("select");
  select.append(new Option("all", -1), ...places.map((place, index) => new Option(place.name, index)));
  select.addEventListener("change", () => fit(map, select.value < 0 ? places : [places[select.value]]));
}

start().catch((error) => reportProblem(error.message));
