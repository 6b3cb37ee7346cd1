"""Where the tiles of a data set lie."""

import math
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
LONGEST = 8.0
"""Inches of the longer side."""


@dataclass(frozen=True)
class _Placed:
    """A tile, its frame and its extent in the figure's metres."""

    name: str
    image: Path
    split: Split
    frame: Frame
    extent: Extent


def layout_figure(tiles: Mapping[str, Path], dataset: Dataset, path: Path) -> Figure:
    """Draw where the tiles lie, with their images, coloured by split.

    Parameters
    ----------
    tiles : mapping of name to Path
        The prepared tiles' folders.
    dataset : Dataset
        Their data set.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        Axes in metres. Tiles without a common georeference are arranged in rows, which the figure says.
    """
    spec = dataset.spec
    grids = {name: read_grid(folder / "image.tif") for name, folder in tiles.items()}
    together = all(grid.georeferenced for grid in grids.values()) and len({grid.crs for grid in grids.values()}) == 1
    placed = (_on_the_map if together else _in_rows)(tiles, grids, spec)
    crs = next(iter(grids.values())).crs
    place = _crs_name(crs) if together else "no common georeference: arranged in rows, to scale"
    figure = _draw(placed, place, spec)
    heading = f"{named(spec.title, spec.generated)}: tiles"
    figure.suptitle(heading, fontsize=12)
    counts = ", ".join(f"{sum(t.split == split for t in placed)} {SPLIT_NAMES[split]}" for split in SPLITS)
    text = f"Where the tiles lie ({place}), with their images: {counts}."
    return save(figure, path, Caption(dataset=dataset.name, title=heading, description=text))


def _on_the_map(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_Placed]:
    first = next(iter(grids.values()))
    frame = Frame.of(first, spec.gsd)
    return [
        _Placed(name, folder / "image.tif", spec.split_of(name), frame, frame.extent(grids[name]))
        for name, folder in tiles.items()
    ]


def _in_rows(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_Placed]:
    frames = {name: Frame.of(grid, spec.gsd) for name, grid in grids.items()}
    sizes = {name: frames[name].extent(grid) for name, grid in grids.items()}
    width, height = max(e[1] for e in sizes.values()), max(-e[2] for e in sizes.values())
    columns = math.ceil(math.sqrt(len(tiles)))
    placed = []
    for number, (name, folder) in enumerate(tiles.items()):
        x, y = number % columns * 1.08 * width, -(number // columns) * 1.08 * height
        left, right, bottom, top = sizes[name]
        extent = (left + x, right + x, bottom + y, top + y)
        placed.append(_Placed(name, folder / "image.tif", spec.split_of(name), frames[name], extent))
    return placed


def _draw(tiles: list[_Placed], place: str, spec: DatasetSpec) -> Figure:
    left, right = min(t.extent[0] for t in tiles), max(t.extent[1] for t in tiles)
    bottom, top = min(t.extent[2] for t in tiles), max(t.extent[3] for t in tiles)
    inches = LONGEST / max(right - left, top - bottom)
    size = max(4.5, (right - left) * inches + 0.4), max(2.5, (top - bottom) * inches + 1.3)
    figure = Figure(figsize=size, layout="compressed")
    axes = figure.subplots()
    for tile in tiles:
        _draw_tile(axes, tile, inches)
    margin = 0.02 * max(right - left, top - bottom)
    axes.set(xlim=(left - margin, right + margin), ylim=(bottom - margin, top + margin), aspect="equal", xlabel=place)
    hide_ticks(axes)
    scale_bar(axes, right - left + 2 * margin)
    splits = [split for split in SPLITS if any(tile.split == split for tile in tiles)]
    handles = [
        Patch(facecolor="none", edgecolor=SPLIT_COLOURS[split], linewidth=2.5,
              label=f"{SPLIT_NAMES[split]} ({sum(tile.split == split for tile in tiles)})")
        for split in splits
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=10, frameon=False)
    return figure


def _draw_tile(axes: Axes, tile: _Placed, inches: float) -> None:
    left, right, bottom, top = tile.extent
    axes.imshow(as_picture(read_layer(tile.image, tile.frame, QUICKLOOK)), extent=tile.extent)
    colour = SPLIT_COLOURS[tile.split]
    inset = min(right - left, 1.3 / inches) * 0.01
    axes.add_patch(Rectangle((left + inset, bottom + inset), right - left - 2 * inset, top - bottom - 2 * inset,
                             fill=False, edgecolor=colour, linewidth=2.5))  # fmt: skip
    points = min(10.0, max(5.0, 100 * (right - left) * inches / max(1, len(tile.name))))
    axes.text((left + right) / 2, (bottom + top) / 2, tile.name, ha="center", va="center", fontsize=points,
              color="white", path_effects=[withStroke(linewidth=2.5, foreground=colour)])  # fmt: skip


def _crs_name(crs: object) -> str:
    epsg = getattr(crs, "to_epsg", lambda: None)()
    return f"EPSG:{epsg}" if epsg else "CRS not named"
