"""Map of a data set's tiles."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
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
SMALLEST_TILE = 0.25
"""Inches of a tile's longer side below which its image and its frame cannot be told apart."""
SPARSE = 0.05
"""Share of the map's area covered by tiles below which there is more gap than map."""


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
        Axes in metres. Tiles without a common georeference, and tiles so far apart that a map would show little else
        than gaps, are arranged in rows, and the figure says so.
    """
    spec = dataset.spec
    grids = {name: read_grid(folder / "image.tif") for name, folder in tiles.items()}
    placed, place = _place(tiles, grids, spec)
    figure = _draw(placed, place)
    heading = f"{named(spec.title, spec.generated)}: tiles"
    figure.suptitle(heading, fontsize=12)
    sizes = Counter(tile.split for tile in placed)
    counts = ", ".join(f"{sizes[split]} {SPLIT_NAMES[split]}" for split in SPLITS)
    text = f"Where the tiles lie ({place}), with their images: {counts}."
    return save(figure, path, Caption(dataset=dataset.name, title=heading, description=text))


def _place(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> tuple[list[_PlacedTile], str]:
    """Return the tiles at their places, or arranged in rows, and a text that says where they lie."""
    systems = {grid.crs for grid in grids.values()}
    if len(systems) > 1 or not all(grid.georeferenced for grid in grids.values()):
        return _in_rows(tiles, grids, spec), "no common georeference: arranged in rows, to scale"
    placed, name = _on_the_map(tiles, grids, spec), _crs_name(next(iter(systems)))
    if not _far_apart([tile.extent for tile in placed]):
        return placed, name
    distance = _largest_distance([tile.extent for tile in placed])
    place = f"{name}, up to {distance} apart: arranged in rows, to scale, without the distances"
    return _in_rows(tiles, grids, spec), place


def _far_apart(extents: Sequence[Extent]) -> bool:
    """Tell whether tiles would be too small on a map, with more gap than map between them."""
    left, right, bottom, top = _bounds(extents)
    longest = max(max(x1 - x0, y1 - y0) for x0, x1, y0, y1 in extents)
    inches = LONGER_SIDE * longest / max(right - left, top - bottom)
    covered = sum((x1 - x0) * (y1 - y0) for x0, x1, y0, y1 in extents)
    return inches < SMALLEST_TILE and covered < SPARSE * (right - left) * (top - bottom)


def _largest_distance(extents: Sequence[Extent]) -> str:
    """Return the distance between opposite corners of the tiles' common extent as text."""
    left, right, bottom, top = _bounds(extents)
    metres = math.hypot(right - left, top - bottom)
    return f"{metres / 1000:,.0f} km" if metres >= 2000 else f"{metres:.0f} m"


def _bounds(extents: Sequence[Extent]) -> Extent:
    lefts, rights, bottoms, tops = zip(*extents, strict=True)
    return min(lefts), max(rights), min(bottoms), max(tops)


def _on_the_map(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_PlacedTile]:
    first = next(iter(grids.values()))
    frame, splits = Frame.of(first, spec.gsd), spec.split_by_tile()
    return [
        _PlacedTile(name, folder / "image.tif", splits[name], frame, frame.extent(grids[name]))
        for name, folder in tiles.items()
    ]


def _in_rows(tiles: Mapping[str, Path], grids: Mapping[str, Grid], spec: DatasetSpec) -> list[_PlacedTile]:
    frames = {name: Frame.of(grid, spec.gsd) for name, grid in grids.items()}
    extents = {name: frames[name].extent(grid) for name, grid in grids.items()}
    # Each extent starts at (0, 0), the north-west corner.
    width = max(right for _, right, _, _ in extents.values())
    height = max(-bottom for _, _, bottom, _ in extents.values())
    columns, splits = math.ceil(math.sqrt(len(tiles))), spec.split_by_tile()
    placed = []
    for number, (name, folder) in enumerate(tiles.items()):
        x, y = number % columns * 1.08 * width, -(number // columns) * 1.08 * height
        left, right, bottom, top = extents[name]
        extent = (left + x, right + x, bottom + y, top + y)
        placed.append(_PlacedTile(name, folder / "image.tif", splits[name], frames[name], extent))
    return placed


def _draw(tiles: list[_PlacedTile], place: str) -> Figure:
    left, right, bottom, top = _bounds([tile.extent for tile in tiles])
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
