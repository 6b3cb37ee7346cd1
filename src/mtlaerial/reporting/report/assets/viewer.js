// The viewer of a tile, made of the tile's pictures when it is opened: two layers with a divider, or methods side by side.
const FIRST_METHODS = 5; // shown side by side at first
let viewers = 0;

// The layers of a tile, as its figures describe them.
function layersOf(tile) {
  return [...tile.querySelectorAll(".layer")].map((figure) => {
    const { kind, task, method, title, place, width } = figure.dataset;
    const label = method ? `${method}: ${title}` : title;
    const [preview, full] = [figure.querySelector("img").src, figure.querySelector("a").href];
    return { figure, kind, task, method, title, label, preview, full, place: place.split(" ").map(Number), width: Number(width) };
  });
}

function option(text, value) {
  return Object.assign(document.createElement("option"), { textContent: text, value });
}

class Viewer {
  constructor(tile) {
    this.tile = tile;
    this.layers = layersOf(tile);
    const content = document.getElementById("viewer-template").content.cloneNode(true);
    this.element = content.querySelector(".viewer");
    this.find = (selector) => this.element.querySelector(selector);
    this.view = new View(Math.max(8, Math.max(...this.layers.map((layer) => layer.width)) / 40));
    this.share = 0.5;
    this.panes = [];
    viewers += 1;
    this.element.setAttribute("aria-label", `Viewer of ${tile.id}`);
    this.fillSelects();
    this.fillMethods();
    this.listen();
    tile.querySelector(".keys").before(this.element);
    this.setMode("swipe");
  }

  fillSelects() {
    for (const select of [this.find(".left"), this.find(".right")]) {
      const groups = new Map();
      this.layers.forEach((layer, number) => {
        const name = layer.method || "image and ground truth";
        if (!groups.has(name)) groups.set(name, Object.assign(document.createElement("optgroup"), { label: name }));
        groups.get(name).append(option(layer.label, number));
      });
      select.append(...groups.values());
    }
    const first = this.layers.findIndex((layer) => layer.kind === "prediction");
    this.find(".left").value = 0;
    this.find(".right").value = first < 0 ? 0 : first;
    const kinds = new Map(this.layers.filter((layer) => layer.method).map((layer) => [`${layer.task} ${layer.kind}`, layer.title]));
    this.find(".what").append(...[...kinds].map(([value, title]) => option(title, value)));
  }

  fillMethods() {
    const methods = new Set(this.layers.map((layer) => layer.method).filter(Boolean));
    const names = ["image", "truth", ...methods];
    const boxes = names.map((name, number) => {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name });
      box.checked = number < FIRST_METHODS + 2;
      box.addEventListener("change", () => this.arrange());
      label.append(box, ` ${number === 1 ? "ground truth" : name}`);
      return label;
    });
    this.find(".methods").append(...boxes);
  }

  listen() {
    for (const radio of this.element.querySelectorAll(".mode input")) {
      radio.name = `mode-${viewers}`;
      radio.addEventListener("change", () => this.setMode(radio.value));
    }
    for (const name of [".left", ".right", ".what"]) this.find(name).addEventListener("change", () => this.arrange());
    this.find(".in").addEventListener("click", () => this.view.zoom(TIMES));
    this.find(".out").addEventListener("click", () => this.view.zoom(1 / TIMES));
    this.find(".whole").addEventListener("click", () => this.view.whole());
    this.find(".divider input").addEventListener("input", (event) => this.moveDivider(event.target.value / 100));
    this.view.listeners.push(() => this.update());
    document.addEventListener("files-missing", () => this.sayMissing());
    window.addEventListener("resize", () => this.update());
    for (const layer of this.layers) {
      layer.figure.querySelector("a").addEventListener("click", (event) => this.choose(event, layer));
    }
  }

  // A press on a picture of the tile shows it at the right of the divider.
  choose(event, layer) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // opens the file, as links do
    event.preventDefault();
    this.find(".right").value = this.layers.indexOf(layer);
    this.find(".mode input").checked = true;
    this.setMode("swipe");
    this.element.scrollIntoView({ block: "nearest" });
  }

  setMode(mode) {
    this.mode = mode;
    this.element.classList.toggle("swipe", mode === "swipe");
    this.element.classList.toggle("beside", mode === "beside");
    this.arrange();
  }

  // Lists of the layers that the panes show: a pair with a divider, or one for each method.
  get shown() {
    if (this.mode === "swipe") return [[".left", ".right"].map((name) => this.layers[this.find(name).value])];
    const chosen = new Set([...this.element.querySelectorAll(".methods input:checked")].map((box) => box.value));
    const [task, kind] = this.find(".what").value.split(" ");
    const isShown = (layer) => {
      if (layer.kind === "image") return chosen.has("image");
      if (layer.kind === "truth") return chosen.has("truth") && layer.task === task;
      return chosen.has(layer.method) && layer.task === task && layer.kind === kind;
    };
    return this.layers.filter(isShown).map((layer) => [layer]);
  }

  arrange() {
    const shown = this.shown;
    while (this.panes.length > shown.length) this.panes.pop().element.remove();
    while (this.panes.length < shown.length) {
      const pane = new Pane(this.view, this.tile.dataset.aspect, (share, by) => this.moveDivider(share, by));
      this.panes.push(pane);
      this.find(".panes").append(pane.element);
    }
    shown.forEach((layers, number) => this.panes[number].show(layers));
    const seen = new Set(shown.flat());
    this.layers.forEach((layer) => layer.figure.classList.toggle("chosen", seen.has(layer)));
    this.moveDivider(this.share);
    this.update();
    if (filesAreMissing) this.sayMissing();
  }

  moveDivider(share, by = 0) {
    this.share = Math.min(Math.max((share ?? this.share) + by, 0), 1);
    this.find(".divider input").value = Math.round(100 * this.share);
    this.panes.forEach((pane) => (pane.divider = this.share));
  }

  update() {
    this.panes.forEach((pane) => pane.update());
    this.find(".factor").textContent = `${this.view.factor.toFixed(this.view.factor < 10 ? 1 : 0).replace(/\.0$/, "")} ×`;
  }

  sayMissing() {
    this.find(".status").textContent = "The folder report_files is not beside this page: these are previews.";
  }
}

for (const tile of document.querySelectorAll("details.tile")) {
  let viewer = null;
  const open = () => {
    if (tile.open && !viewer && tile.querySelector(".layer")) viewer = new Viewer(tile);
  };
  tile.addEventListener("toggle", open);
  open();
}
