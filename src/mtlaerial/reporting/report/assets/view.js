// The part of a tile that is seen: its centre in fractions of the tile, and a factor. All panes of a viewer share it.
const FARTHEST = 1;

class View {
  constructor(nearest) {
    this.nearest = nearest;
    this.listeners = [];
    this.whole();
  }

  whole() {
    [this.x, this.y, this.factor] = [0.5, 0.5, FARTHEST];
    this.changed();
  }

  // Move by fractions of what is seen.
  move(right, down) {
    this.x += right / this.factor;
    this.y += down / this.factor;
    this.changed();
  }

  // Zoom about a place of the pane, in fractions of the pane, which stays where it is.
  zoom(times, x = 0.5, y = 0.5) {
    const factor = Math.min(Math.max(this.factor * times, FARTHEST), this.nearest);
    this.x += (x - 0.5) / this.factor - (x - 0.5) / factor;
    this.y += (y - 0.5) / this.factor - (y - 0.5) / factor;
    this.factor = factor;
    this.changed();
  }

  changed() {
    const half = 0.5 / this.factor;
    this.x = Math.min(Math.max(this.x, half), 1 - half);
    this.y = Math.min(Math.max(this.y, half), 1 - half);
    this.listeners.forEach((listener) => listener(this));
  }

  get transform() {
    const shift = (centre) => `${100 * (0.5 - centre * this.factor)}%`;
    return `translate(${shift(this.x)}, ${shift(this.y)}) scale(${this.factor})`;
  }
}
