// A pane of the viewer: one layer, or two with a divider between them. Moves by pointer, wheel and keys.
const STEP = 0.1;
const TIMES = 1.5;
let filesAreMissing = false; // whether report_files is not beside the page: asked once

// A layer's picture: the preview at once, and the whole picture when it is there.
function pictureOf(layer) {
  const picture = new Image();
  picture.alt = "";
  picture.src = layer.preview;
  const [left, top, width, height] = layer.place.map((share) => `${100 * share}%`);
  Object.assign(picture.style, { left, top, width, height });
  if (!filesAreMissing) {
    const whole = new Image();
    whole.onload = () => (picture.src = whole.src);
    whole.onerror = () => {
      filesAreMissing = true;
      document.dispatchEvent(new Event("files-missing"));
    };
    whole.src = layer.full;
  }
  return picture;
}

class Pane {
  constructor(view, aspect, moveDivider) {
    this.view = view;
    this.moveDivider = moveDivider;
    const content = document.getElementById("pane-template").content.cloneNode(true);
    this.element = content.querySelector(".pane");
    this.stage = content.querySelector(".stage");
    this.sides = [...content.querySelectorAll(".moved")];
    this.caption = content.querySelector("figcaption");
    this.handle = content.querySelector(".handle");
    this.stage.style.aspectRatio = aspect;
    this.widest = `calc(${aspect} * max(20rem, 78vh))`;
    this.pointers = new Map();
    this.listen();
  }

  // Show a layer, or two on both sides of the divider.
  show(layers) {
    layers.forEach((layer, number) => this.sides[number].replaceChildren(pictureOf(layer)));
    const names = layers.map((layer) => layer.label);
    this.stage.setAttribute("aria-label", names.length > 1 ? `Left: ${names[0]}. Right: ${names[1]}.` : names[0]);
    this.caption.replaceChildren(...names.map((name) => Object.assign(document.createElement("span"), { textContent: name })));
    this.element.style.maxWidth = names.length > 1 ? this.widest : "";
    this.update();
  }

  set divider(share) {
    this.stage.querySelector(".over").style.clipPath = `inset(0 0 0 ${100 * share}%)`;
    this.handle.style.left = `${100 * share}%`;
  }

  update() {
    this.stage.classList.toggle("near", this.view.factor > FARTHEST);
    for (const side of this.sides) {
      side.style.transform = this.view.transform;
      for (const picture of side.children) {
        const shown = picture.offsetWidth * this.view.factor * window.devicePixelRatio;
        picture.classList.toggle("magnified", shown > 1.5 * picture.naturalWidth);
      }
    }
  }

  // A place of the screen in fractions of the pane.
  place(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  listen() {
    this.stage.addEventListener("pointerdown", (event) => this.press(event));
    this.stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    this.stage.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    this.stage.addEventListener("dblclick", (event) => this.view.zoom(2, ...this.place(event)));
    this.stage.addEventListener("keydown", (event) => this.key(event));
  }

  press(event) {
    if (event.button) return;
    this.stage.setPointerCapture(event.pointerId);
    this.divides = event.target === this.handle;
    this.pointers.set(event.pointerId, this.place(event));
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const after = this.place(event);
    if (this.divides) {
      this.moveDivider(after[0]);
    } else if (this.pointers.size > 1) {
      this.pinch(event.pointerId, before, after);
    } else {
      this.view.move(before[0] - after[0], before[1] - after[1]);
    }
    this.pointers.set(event.pointerId, after);
  }

  pinch(moved, before, after) {
    const [, still] = [...this.pointers].find(([pointer]) => pointer !== moved);
    const distance = (place) => Math.hypot(place[0] - still[0], place[1] - still[1]);
    this.view.move((before[0] - after[0]) / 2, (before[1] - after[1]) / 2);
    if (distance(before) > 0) {
      this.view.zoom(distance(after) / distance(before), (after[0] + still[0]) / 2, (after[1] + still[1]) / 2);
    }
  }

  turn(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
    event.preventDefault();
    this.view.zoom(Math.exp(-0.005 * event.deltaY), ...this.place(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions = {
      ArrowLeft: () => this.view.move(-STEP, 0),
      ArrowRight: () => this.view.move(STEP, 0),
      ArrowUp: () => this.view.move(0, -STEP),
      ArrowDown: () => this.view.move(0, STEP),
      "+": () => this.view.zoom(TIMES),
      "=": () => this.view.zoom(TIMES),
      "-": () => this.view.zoom(1 / TIMES),
      0: () => this.view.whole(),
      "[": () => this.moveDivider(null, -0.02),
      "]": () => this.moveDivider(null, 0.02),
    };
    if (event.key in actions) {
      event.preventDefault();
      actions[event.key]();
    }
  }
}
