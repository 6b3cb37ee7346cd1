"""Draw one pixel's way: the image, the windows that see it, their outputs, the blended map, the truth.

python benchmarks/pixel_picture.py --tile results/tiles/autzen_r1c3 --pixel 330 416 --out docs/images/pixel.webp

``--tile`` is a prepared tile with labels and heights, ``--run`` a trained run of both tasks. The library computes all;
a picture is refused where the blended outputs of the windows are not the value of the map.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import rasterio
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from object_pictures import save

from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.shipped import shipped_run

SIDE = 70
"""Pixels around the pixel that are drawn, on each side."""
CELLS = 12
MARK = "#ff00ff"


class Seen(NamedTuple):
    """A window that sees the pixel: its first row and column, its weight there, and what it says of the pixel."""

    row: int
    column: int
    weight: float
    shares: NDArray[np.float32]
    height: float


class Cell(NamedTuple):
    """The cell of the heights that holds the pixel, and that of the labels: predicted and true values."""

    row: int
    column: int
    height: float
    true_height: float
    code: int
    true_code: int


Outputs = dict[tuple[int, int], NDArray[np.float32]]
"""Outputs of the windows that were run, by first row and column."""


def windows_at(predictor: Predictor, image: NDArray[np.uint8], row: int, column: int, computed: Outputs) -> list[Seen]:
    """Return what each window that covers a pixel says of it; each window is run once."""
    down, across = (predictor.blender.layout(length) for length in image.shape[1:])
    semantics, height = (predictor.network.slice_of(task) for task in ("semantics", "height"))
    views = []
    for top in down.starts:
        for left in across.starts:
            if not (top <= row < top + down.window and left <= column < left + across.window):
                continue
            if (top, left) not in computed:
                crop = torch.from_numpy(image[:, top : top + down.window, left : left + across.window].copy())
                computed[top, left] = predictor.network(crop[None])[0].numpy()
            outputs = computed[top, left][:, row - top, column - left]
            weight = float(down.weights[row - top] * across.weights[column - left])
            views.append(Seen(top, left, weight, outputs[semantics], float(outputs[height][0])))
    return views


def blended(values: Sequence[float], views: Sequence[Seen]) -> float:
    """Return the mean of the windows' values by their weights."""
    return float(np.average(values, weights=[window.weight for window in views]))


def cell_at(tile: Path, maps: Path, row: int, column: int) -> Cell:
    """Return the cells of the truth that hold a pixel, with the maps' values there."""
    with rasterio.open(tile / "image.tif") as source:
        place = source.transform @ (column + 0.5, row + 0.5)

    def value(path: Path) -> tuple[tuple[int, int], float]:
        with rasterio.open(path) as source:
            index = source.index(*place)
            return index, float(source.read(1)[index])

    cell, height = value(maps / "height.tif")
    return Cell(
        *cell,
        height,
        value(tile / "height.tif")[1],
        int(value(maps / "semantics.tif")[1]),
        int(value(tile / "labels.tif")[1]),
    )


def require_same(predictor: Predictor, image: NDArray[np.uint8], tile: Path, cell: Cell, computed: Outputs) -> None:
    """Check that windows, blended by hand, give the height of the map: the mean over the pixels of the cell."""
    with rasterio.open(tile / "image.tif") as source, rasterio.open(tile / "height.tif") as truth:
        ratio = round(truth.transform.a / source.transform.a)
    pixels = [(cell.row * ratio + i, cell.column * ratio + j) for i in range(ratio) for j in range(ratio)]
    by_pixel = [windows_at(predictor, image, *pixel, computed) for pixel in pixels]
    mean = np.mean([blended([window.height for window in views], views) for views in by_pixel])
    assert abs(mean - cell.height) < 1e-2, (mean, cell.height)


def draw_image(axis: Axes, image: NDArray[np.uint8], row: int, column: int) -> None:
    """Draw the surroundings of the pixel."""
    top, left = max(0, row - SIDE), max(0, column - SIDE)
    axis.imshow(np.moveaxis(image[:3, top : row + SIDE, left : column + SIDE], 0, -1))
    axis.add_patch(Rectangle((column - left - 2.5, row - top - 2.5), 5, 5, fill=False, color=MARK, lw=2))
    values = ", ".join(map(str, image[:3, row, column]))
    axis.set_title(f"1 the pixel: {values}")


def draw_windows(
    axis: Axes, image: NDArray[np.uint8], window: int, views: Sequence[Seen], pixel: tuple[int, int]
) -> None:
    """Draw the windows that see the pixel, on the tile."""
    axis.imshow(np.moveaxis(image[:3], 0, -1), alpha=0.6)
    largest = max(each.weight for each in views)
    for each in views:
        width = 0.4 + 2 * each.weight / largest
        axis.add_patch(Rectangle((each.column, each.row), window, window, fill=False, color=MARK, lw=width))
    axis.plot(pixel[1], pixel[0], "o", color="black", ms=4)
    axis.set(xlim=(0, image.shape[2]), ylim=(image.shape[1], 0))  # windows at the border go beyond it
    axis.set_title(f"2 seen by {len(views)} window{'s' if len(views) > 1 else ''} of {window} pixels")


def draw_heights(axis: Axes, views: Sequence[Seen], cell: Cell) -> None:
    """Draw the height that each window says, by its weight."""
    largest = max(window.weight for window in views)
    for number, window in enumerate(views, start=1):
        axis.plot(number, window.height, "o", color="#35608d", ms=3 + 9 * window.weight / largest)
    heights = [window.height for window in views]
    axis.axhline(blended(heights, views), color=MARK, label=f"blended: {blended(heights, views):.2f} m")
    axis.axhline(cell.true_height, color="black", ls=":", label=f"true: {cell.true_height:.2f} m")
    axis.set(xlabel="window (larger: more weight)", ylabel="m above ground", xticks=[])
    axis.set_ylim(0, 1.3 * max(*heights, cell.true_height))
    axis.legend(loc="lower right", fontsize=8)
    axis.set_title("3 a height from each window")


def draw_classes(axis: Axes, predictor: Predictor, views: Sequence[Seen]) -> None:
    """Draw the blended scores of the classes."""
    classes = predictor.description.statistics.classes
    scores = [blended([float(window.shares[code]) for window in views], views) for code in range(len(classes))]
    names = [entry.name for entry in classes]
    axis.barh(names, scores, color=[np.array(entry.colour) / 255 for entry in classes])
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel="blended score")
    axis.set_title("4 a score for each class")


def draw_map(axis: Axes, predictor: Predictor, path: Path, cell: Cell) -> None:
    """Draw the cells of the map of heights around the pixel's."""
    with rasterio.open(path) as source:
        heights = source.read(1)
    top, left = max(0, cell.row - CELLS), max(0, cell.column - CELLS)
    shown = axis.imshow(heights[top : cell.row + CELLS, left : cell.column + CELLS], vmin=0, cmap="viridis")
    axis.add_patch(Rectangle((cell.column - left - 0.5, cell.row - top - 0.5), 1, 1, fill=False, color=MARK, lw=2))
    axis.figure.colorbar(shown, ax=axis, label="m above ground", fraction=0.046)
    names = [entry.name for entry in predictor.description.statistics.classes]
    truth = names[cell.true_code] if cell.true_code < len(names) else "no class"
    error = cell.height - cell.true_height
    axis.set_title("5 its cell on the grid of the truth")
    axis.set_xlabel(
        f"{names[cell.code]}, {cell.height:.2f} m\ntruth: {truth}, {cell.true_height:.2f} m (error {error:+.2f} m)"
    )


def main() -> None:
    """Draw the five panels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tile", type=Path, required=True, help="folder of a prepared tile")
    parser.add_argument("--run", type=Path, default=shipped_run("town"), help="trained run; by default the shipped one")
    parser.add_argument("--pixel", type=int, nargs=2, required=True, help="row and column in the image")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with rasterio.open(options.tile / "image.tif") as source:
        image = source.read()
    row, column = options.pixel
    predictor = Predictor(options.run)
    computed: Outputs = {}
    views = windows_at(predictor, image, row, column, computed)
    with tempfile.TemporaryDirectory() as folder:
        predictor.predict_tiles([options.tile], Path(folder))
        maps = Path(folder) / options.tile.name
        cell = cell_at(options.tile, maps, row, column)
        require_same(predictor, image, options.tile, cell, computed)
        figure, axes = plt.subplots(1, 5, figsize=(19, 3.9), width_ratios=(1, 1, 1.1, 1.1, 1.15), layout="constrained")
        for axis in (axes[0], axes[1], axes[4]):
            axis.set(xticks=[], yticks=[])
        draw_image(axes[0], image, row, column)
        draw_windows(axes[1], image, predictor.blender.layout(image.shape[1]).window, views, (row, column))
        draw_heights(axes[2], views, cell)
        draw_classes(axes[3], predictor, views)
        draw_map(axes[4], predictor, maps / "height.tif", cell)
        save(figure, options.out)


if __name__ == "__main__":
    main()
