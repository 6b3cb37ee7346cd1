"""Figure of the true and predicted heights of a tile's detail as hillshades, in which grids and seams show."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtlaerial.figures.style import Caption, hide_ticks, mark_nodata, named, save, scale_bar
from mtlaerial.figures.tile_layers import Extent, Frame, Layer, as_picture, read_grid, read_layer, read_part
from mtlaerial.runs.run import RunDescription

AZIMUTH, ALTITUDE = 315.0, 45.0
"""Direction of the light in degrees: clockwise from north, and above the horizon."""
DETAIL = 256
"""Cells of the finest map along a side of the detail."""
LEAST_HEIGHT, STEEPEST = 2.0, 1.0
"""Metres, and metres per metre, of a surface that counts as a roof."""
PANEL = 3.6
"""Inches of a side of the detail."""


def hillshade_figure(tile: Path, maps: Mapping[str, Path], description: RunDescription, path: Path) -> Figure:
    """Draw the part of a tile with most roofs: its image, and its true and predicted heights as hillshades.

    Parameters
    ----------
    tile : Path
        Folder with the prepared ``image.tif`` and ``height.tif``; its name is the tile's.
    maps : mapping of str to Path
        Folders with predicted heights by the title of their panel: ``image_height.tif``, on the image's grid, or else
        ``height.tif``.
    description : RunDescription
        Description of a run on the data set.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        A panel for the image, one for the true height, and one per map; each with the cells of its file.
    """
    statistics = description.statistics
    frame = Frame.of(read_grid(tile / "image.tif"), statistics.gsd)
    heights = {"true height": tile / "height.tif"}
    heights |= {title: height_map(folder) for title, folder in maps.items()}
    extent = detail_extent(list(heights.values()), frame)
    figure = Figure(figsize=((len(heights) + 1) * (PANEL + 0.1) + 0.2, PANEL + 1.15), layout="constrained")
    axes = figure.subplots(1, len(heights) + 1)
    image = read_part(tile / "image.tif", frame, extent)
    axes[0].imshow(as_picture(image), extent=image.extent)
    _frame(axes[0], f"image, pixels of {_cell_text(image)}", extent)
    scale_bar(axes[0], extent[1] - extent[0])
    for panel, (title, file) in zip(axes[1:], heights.items(), strict=True):
        _draw(panel, title, read_part(file, frame, extent), extent)
    heading = f"{named(statistics.title, statistics.generated)}: {tile.name}"
    light = f"light from {AZIMUTH:g}° (north-west), {ALTITUDE:g}° above the horizon, without exaggeration"
    figure.suptitle(f"{heading}\nhillshades, {light}", fontsize=11)
    text = f"{tile.name}: image, true height and {', '.join(maps)} as hillshades; {light}."
    return save(figure, path, Caption(dataset=description.plan.dataset, title=heading, description=text))


def height_map(folder: Path) -> Path:
    """Return the file of predicted heights with the finest cells in a folder of maps."""
    fine = folder / "image_height.tif"
    return fine if fine.exists() else folder / "height.tif"


def hillshade(layer: Layer) -> np.ma.MaskedArray:
    """Return the share of light that a diffuse surface reflects, 0-1; flat ground has sin 45°.

    Lambert's law: the cosine between the light and the surface's normal (Horn, "Hill shading and the reflectance map",
    Proc. IEEE 69, 1981).
    """
    cell_height, cell_width = _cell_size(layer)
    to_south, to_east = np.gradient(_metres(layer), cell_height, cell_width)
    azimuth, altitude = math.radians(AZIMUTH), math.radians(ALTITUDE)
    towards_light = math.sin(azimuth) * to_east - math.cos(azimuth) * to_south
    cosine = (math.sin(altitude) - math.cos(altitude) * towards_light) / np.sqrt(1 + to_east**2 + to_south**2)
    return np.ma.masked_invalid(cosine.clip(0, 1))


def detail_extent(heights: list[Path], frame: Frame) -> Extent:
    """Return the square with most roofs: those of the first raster that has data, where the others are high too."""
    finest = min(min(read_grid(path).pixel_size) for path in heights[1:]) * frame.metres
    layers = [read_layer(path, frame) for path in heights]
    present = [layer for layer in layers if not layer.empty] or layers[-1:]
    roofs = _roofs(present[0])
    agreement = roofs.astype(np.int64)
    for layer in present[1:]:
        agreement += roofs & (np.ma.filled(layer.at(present[0]), 0) >= LEAST_HEIGHT)
    cell_height, cell_width = _cell_size(present[0])
    high, wide = (max(2, round(DETAIL * finest / cell)) for cell in (cell_height, cell_width))
    high, wide = min(high, roofs.shape[0]), min(wide, roofs.shape[1])
    row, column = _fullest_box(agreement, high, wide)
    left, top = present[0].extent[0] + column * cell_width, present[0].extent[3] - row * cell_height
    return left, left + wide * cell_width, top - high * cell_height, top


def _roofs(layer: Layer) -> NDArray[np.bool_]:
    """Tell for each cell whether it is a high surface without steep slopes."""
    heights = _metres(layer)
    high = heights >= LEAST_HEIGHT
    if min(heights.shape) < 2:
        return high
    return np.asarray(high & (np.hypot(*np.gradient(heights, *_cell_size(layer))) <= STEEPEST))


def _metres(layer: Layer) -> NDArray[np.float64]:
    """Return a layer's heights; NaN is no data."""
    return np.asarray(np.ma.filled(layer.band.astype(np.float64), np.nan))


def _fullest_box(weights: NDArray[np.int64], rows: int, columns: int) -> tuple[int, int]:
    """Return the first row and column of the box with the largest sum, in the middle of equal ones."""
    sums = np.pad(weights.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    best = np.argwhere(inside == inside.max())
    row, column = best[np.abs(best - best.mean(axis=0)).sum(axis=1).argmin()]  # lest a roof touch the border
    return int(row), int(column)


def _cell_size(layer: Layer) -> tuple[float, float]:
    """Return the height and width of a layer's cells in metres."""
    rows, columns = layer.values.shape[1:]
    left, right, bottom, top = layer.extent
    return (top - bottom) / rows, (right - left) / columns


def _cell_text(layer: Layer) -> str:
    return f"{_cell_size(layer)[1]:.3g} m"


def _draw(axes: Axes, title: str, layer: Layer, extent: Extent) -> None:
    empty = layer.empty or min(layer.values.shape[1:]) < 2
    if not empty:
        axes.imshow(hillshade(layer), extent=layer.extent, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        title = f"{title}, cells of {_cell_text(layer)}"
        heights = f"{layer.band.min():.1f} to {layer.band.max():.1f} m above ground"
        axes.set_xlabel(heights.replace("-", "−"), fontsize=9)
    _frame(axes, title, extent)
    if empty:
        axes.text(0.5, 0.5, "no height", transform=axes.transAxes, ha="center", va="center", fontsize=10)


def _frame(axes: Axes, title: str, extent: Extent) -> None:
    axes.set_title(title, fontsize=10)
    axes.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    hide_ticks(axes)
    mark_nodata(axes)
