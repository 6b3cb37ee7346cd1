// Legends: classes with names and colours, and ramps of values with their unit.

export function legendOf(layer) {
  if (layer.classes.length) return classList(layer.classes);
  return layer.ramp.length ? ramp(layer) : null;
}

function classList(classes) {
  const list = document.createElement("ul");
  list.className = "classes";
  for (const { name, colour } of classes) {
    const item = document.createElement("li");
    item.append(swatch(colour), name);
    list.append(item);
  }
  return list;
}

function swatch(colour) {
  const square = document.createElement("span");
  square.className = "swatch";
  square.style.background = colour;
  return square;
}

// The stops are at equal distances, as most heights are low; their values stand below them.
function ramp(layer) {
  const box = document.createElement("div");
  box.className = "ramp";
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.style.background = `linear-gradient(to right, ${layer.ramp.map((stop) => stop.colour).join(", ")})`;
  const values = document.createElement("ol");
  layer.ramp.forEach((stop, index) => {
    const item = document.createElement("li");
    const last = index === layer.ramp.length - 1 && layer.unit;
    item.textContent = rounded(stop.value) + (last ? `\u00a0${layer.unit}` : "");
    values.append(item);
  });
  box.append(bar, values);
  return box;
}

function rounded(value) {
  return String(Number(value.toPrecision(3)));
}
