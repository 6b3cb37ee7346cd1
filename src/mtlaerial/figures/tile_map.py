"""Map of a data set's tiles."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from mtlaerial.config import SPLITS, DatasetSpec, Split
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.figures.style import Caption, hide_ticks, named, save, scale_bar
from mtlaerial.figures.tile_layers import Extent, Frame, as_picture, read_grid, read_layer
from mtlaerial.rasters.grid import Grid

QUICKLOOK = 300
"""Pixels along the longer side of a tile's image."""
SPLIT_COLOURS: dict[Split, str] = {"train": "#0072B2", "val": "#E69F00", "test": "#D55E00"}
SPLIT_NAMES: dict[Split, str] = {"train": "training", "val": "validation", "test": "test"}
LONGER_SIDE = 8.0
"""Inches of the figure's longer side."""


@dataclass(frozen=True)
class _PlacedTile:
    """A tile, its frame, and its extent in metres in the figure."""

    name: str
    image: Path
    split: Split
    frame: Frame
    extent: Extent


def layout_figure(tiles: Mapping[str, Path], dataset: Dataset, path: Path) -> Figure:
    """Draw the tiles at their places, with their images, coloured by split.

    Parameters
    ----------
    tiles : mapping of name to Path
        The prepared tiles' folders.
    dataset : Dataset
        The tiles' data set.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        Axes in metres. Tiles without a common georeference are arranged in rows, and the figure says so.
    """
    spec = dataset.spec
    grids = {name: read_grid(folder / "image.tif") for name, folder in tiles.items()}
    systems = {grid.crs for grid in grids.values()}
    georeferenced = len(systems) == 1 and all(grid.georeferenced for grid in grids.values())
    placed = (_on_the_map if georeferenced else _in_rows)(tiles, grids, spec)
    crs = next(iter(grids.values())).crs
    place = _crs_name(crs) if georeferenced else "no common georeference: arranged in rows, to scale"
    figure = _draw(placed, place)
    heading = f"{named(spec.title, spec.generated)}: tiles"
    figure.suptitle(heading, fontsize=12)
    sizes = Counter(tile.split for tile in placed)
    counts = ", ".join(f"{sizes[split]} {SPLIT_NAMES[split]}" for split in SPLITS)
    text = f"Where the tiles lie ({place}), with their images: {counts}."
    return save(figure, path, Caption(dataset=dataset.name, title=heading, description=text))


def _on_the_map(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_PlacedTile]:
    first = next(iter(grids.values()))
    frame = Frame.of(first, spec.gsd)
    return [
        _PlacedTile(name, folder / "image.tif", spec.split_of(name), frame, frame.extent(grids[name]))
        for name, folder in tiles.items()
    ]


def _in_rows(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_PlacedTile]:
    frames = {name: Frame.of(grid, spec.gsd) for name, grid in grids.items()}
    extents = {name: frames[name].extent(grid) for name, grid in grids.items()}
    # Each extent starts at (0, 0), the north-west corner.
    width = max(right for _, right, _, _ in extents.values())
    height = max(-bottom for _, _, bottom, _ in extents.values())
    columns = math.ceil(math.sqrt(len(tiles)))
    placed = []
    for number, (name, folder) in enumerate(tiles.items()):
        x, y = number % columns * 1.08 * width, -(number // columns) * 1.08 * height
        left, right, bottom, top = extents[name]
        extent = (left + x, right + x, bottom + y, top + y)
        placed.append(_PlacedTile(name, folder / "image.tif", spec.split_of(name), frames[name], extent))
    return placed


def _draw(tiles: list[_PlacedTile], place: str) -> Figure:
    lefts, rights, bottoms, tops = zip(*(tile.extent for tile in tiles), strict=True)
    left, right, bottom, top = min(lefts), max(rights), min(bottoms), max(tops)
    inches = LONGER_SIDE / max(right - left, top - bottom)
    size = max(4.5, (right - left) * inches + 0.4), max(2.5, (top - bottom) * inches + 1.3)
    figure = Figure(figsize=size, layout="compressed")
    axes = figure.subplots()
    for tile in tiles:
        _draw_tile(axes, tile, inches)
    margin = 0.02 * max(right - left, top - bottom)
    axes.set(xlim=(left - margin, right + margin), ylim=(bottom - margin, top + margin), aspect="equal", xlabel=place)
    hide_ticks(axes)
    scale_bar(axes, right - left + 2 * margin)
    counts = Counter(tile.split for tile in tiles)
    handles = [
        Patch(facecolor="none", edgecolor=SPLIT_COLOURS[split], linewidth=2.5,
              label=f"{SPLIT_NAMES[split]} ({counts[split]})")
        for split in SPLITS if counts[split]
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=10, frameon=False)
    return figure


def _draw_tile(axes: Axes, tile: _PlacedTile, inches: float) -> None:
    left, right, bottom, top = tile.extent
    axes.imshow(as_picture(read_layer(tile.image, tile.frame, QUICKLOOK)), extent=tile.extent)
    colour = SPLIT_COLOURS[tile.split]
    inset = min(right - left, 1.3 / inches) * 0.01  # lest the frames of neighbours cover each other
    axes.add_patch(Rectangle((left + inset, bottom + inset), right - left - 2 * inset, top - bottom - 2 * inset,
                             fill=False, edgecolor=colour, linewidth=2.5))  # fmt: skip
    points = min(10.0, max(5.0, 100 * (right - left) * inches / max(1, len(tile.name))))
    axes.text((left + right) / 2, (bottom + top) / 2, tile.name, ha="center", va="center", fontsize=points,
              color="white", path_effects=[withStroke(linewidth=2.5, foreground=colour)])  # fmt: skip


def _crs_name(crs: object) -> str:
    epsg = getattr(crs, "to_epsg", lambda: None)()
    return f"EPSG:{epsg}" if epsg else "CRS not named"
