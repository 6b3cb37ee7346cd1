// The list of layers: what is shown, how opaque it is, and its legend.

export function listLayers(rows) {
  document.getElementById("layers").append(...rows.map(itemOf));
}

function itemOf(row) {
  const item = document.createElement("li");
  item.dataset.key = row.key;
  const box = input("checkbox", { checked: row.shown });
  const slider = input("range", { min: 0, max: 100, value: Math.round(100 * row.opacity) });
  slider.setAttribute("aria-label", `Opacity of ${row.title}`);
  slider.addEventListener("input", () => row.fade(slider.value / 100));
  const name = document.createElement("label");
  name.append(box, ` ${row.title}`);
  const head = document.createElement("div");
  head.className = "head";
  head.append(name, slider);
  item.append(head);
  const details = [row.legend, row.choices && choiceOf(row)].filter(Boolean);
  item.append(...details);
  const update = () => [slider, ...details].forEach((each) => { each.hidden = !box.checked; });
  box.addEventListener("change", () => {
    row.show(box.checked);
    update();
  });
  update();
  return item;
}

function choiceOf(row) {
  const label = document.createElement("label");
  label.className = "choice row";
  const select = document.createElement("select");
  select.append(...row.choices.names.map((name, index) => new Option(name, index)));
  select.addEventListener("change", () => row.choose(Number(select.value)));
  label.append(`of the ${row.choices.label} `, select);
  return label;
}

function input(type, properties) {
  return Object.assign(document.createElement("input"), { type, ...properties });
}
