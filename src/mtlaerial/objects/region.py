"""Region of maps: folders of one or several predictions whose grids fit together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from pyproj import CRS as Projection

from mtlaerial.errors import DataError
from mtlaerial.maps.map_folder import MapFolder, read_folder
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.metric_crs import require_metric_crs
from mtlaerial.rasters.projection import crs_name, horizontal_projection, same_projection

_FIT = 1e-3
"""Largest distance, in pixels, between the pixels of grids that fit together."""


@dataclass(frozen=True)
class Place:
    """Window of a folder's maps in a region: first row and column, and size in pixels."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Region:
    """The ground that maps cover.

    Attributes
    ----------
    grid : Grid
        The smallest grid that all maps lie on.
    folders : tuple of MapFolder
        Where maps overlap, the first one counts.
    places : tuple of Place
        Of each folder.
    """

    grid: Grid
    folders: tuple[MapFolder, ...]
    places: tuple[Place, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by code."""
        return self.folders[0].classes

    @property
    def overlaps(self) -> list[tuple[Path, Path]]:
        """Pairs of folders whose maps overlap."""
        return [
            (self.folders[i].path, self.folders[j].path)
            for (i, first), (j, second) in combinations(enumerate(self.places), 2)
            if _overlap(first, second)
        ]


def read_region(paths: Sequence[Path]) -> Region:
    """Return the region of folders of maps.

    Raises
    ------
    DataError
        When a folder lacks a map of classes, its CRS has no metres, or the maps have different classes, CRSs or grids.
    """
    return region_of([read_folder(path) for path in paths])


def region_of(folders: Sequence[MapFolder]) -> Region:
    """Return the region of folders of maps; see :func:`read_region`."""
    first = folders[0]
    for folder in folders:
        require_metric_crs(folder.class_map, folder.grid)
        _require_fit(first, folder)
    offsets = [_offset(first.grid, folder.grid) for folder in folders]
    top, left = (min(values) for values in zip(*offsets, strict=True))
    places = [
        Place(row - top, column - left, folder.grid.height, folder.grid.width)
        for (row, column), folder in zip(offsets, folders, strict=True)
    ]
    rows = max(place.row + place.rows for place in places)
    columns = max(place.column + place.columns for place in places)
    return Region(first.grid.window(top, left, rows, columns), tuple(folders), tuple(places))


def _require_fit(first: MapFolder, folder: MapFolder) -> None:
    """Refuse maps of other classes, another CRS or another grid than those of the first folder."""
    where, grid, expected = folder.class_map, folder.grid, first.grid
    if folder.classes != first.classes:
        observed = f"the classes {', '.join(folder.classes)}"
        remedy = "Vectorise maps of different runs apart."
        raise DataError(where, observed, f"those of {first.class_map}: {', '.join(first.classes)}", remedy)
    if not same_projection(projection_of(grid), projection_of(expected)):
        remedy = "Reproject the orthophotos to one CRS and map them again, or vectorise the maps apart."
        raise DataError(where, crs_name(grid.crs), f"{crs_name(expected.crs)}, as {first.class_map}", remedy)
    mapping = grid.to(expected)
    drift = max(abs(mapping.a - 1) * grid.width, abs(mapping.e - 1) * grid.height)
    shift = max(abs(value - round(value)) for value in (mapping.c, mapping.f)) if drift <= _FIT else math.inf
    if shift > _FIT:
        sizes = [f"pixels of {each.pixel_size[1]:.9g} x {each.pixel_size[0]:.9g}" for each in (grid, expected)]
        observed = sizes[0] if drift > _FIT else f"pixels that lie {shift:.3g} of a pixel beside"
        remedy = "Map orthophotos of one grid (`rio warp --like`), or vectorise the maps apart."
        raise DataError(where, observed, f"the grid of {first.class_map}, {sizes[1]}", remedy)


def projection_of(grid: Grid) -> Projection | None:
    """Return the horizontal part of a grid's CRS; None without one."""
    return horizontal_projection(grid.crs.to_wkt()) if grid.crs else None


def _offset(first: Grid, grid: Grid) -> tuple[int, int]:
    """Return row and column of a grid's first pixel on another grid."""
    mapping = grid.to(first)
    return round(mapping.f), round(mapping.c)


def _overlap(first: Place, second: Place) -> bool:
    rows = min(first.row + first.rows, second.row + second.rows) - max(first.row, second.row)
    columns = min(first.column + first.columns, second.column + second.columns) - max(first.column, second.column)
    return rows > 0 and columns > 0
