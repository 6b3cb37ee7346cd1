"""Division of a data set's tiles into compact areas of about equal ground, for tests on each in turn."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.footprints import Footprint, boxes, in_lon_lat, read_footprint
from mtlaerial.errors import DataError, UserError
from mtlaerial.rasters.projection import same_projection
from mtlaerial.system.files import write_text
from mtlaerial.system.progress import track

AREA = "area_{}"
"""Name of an area, counted from 1."""


@dataclass(frozen=True)
class Ground:
    """The place and the size of tiles.

    Attributes
    ----------
    centres : array, shape (tiles, 2)
        In one plane.
    areas : array, shape (tiles,), square metres
    """

    centres: NDArray[np.float64]
    areas: NDArray[np.float64]


def divide(dataset: Dataset, number: int) -> dict[str, list[str]]:
    """Return the tiles of each of a number of areas, by recursive bisection of the tiles' centres.

    Parameters
    ----------
    dataset : Dataset
        Any splits or areas that it has are not looked at.
    number : int
        Number of areas, at least 2.

    Raises
    ------
    UserError
        When there are fewer tiles than areas.
    DataError
        When a tile has no georeference, or none that can be compared with the others'.
    """
    tiles = dataset.spec.tiles
    if not 2 <= number <= len(tiles):
        expected = f"2 to {len(tiles)}, the number of tiles"
        raise UserError("--number", f"{number} areas", expected, "Ask for fewer, or cut the data set into more tiles.")
    located = [_located(dataset, tile) for tile in track(tiles, len(tiles), "locating", "tile")]
    parts = bisect(ground_of(located), number)
    return {AREA.format(index): [tiles[member] for member in sorted(part)] for index, part in enumerate(parts, start=1)}


def ground_of(footprints: Sequence[Footprint]) -> Ground:
    """Return places and sizes of footprints: in their CRS if it is one, else in longitude and latitude, to scale.

    Raises
    ------
    DataError
        When the CRS of one is not known, and others have one.
    """
    first = footprints[0].horizontal_crs
    units = np.array([footprint.metres_per_unit() for footprint in footprints])
    polygons = boxes(footprints)
    areas = np.array([polygon.area for polygon in polygons]) * units**2
    if all(same_projection(first, footprint.horizontal_crs) for footprint in footprints):
        return Ground(_centres(footprints, polygons), areas)
    centres = _centres(footprints, in_lon_lat(footprints))
    centres[:, 0] *= np.cos(np.radians(centres[:, 1].mean()))
    return Ground(centres, areas)


def bisect(ground: Ground, number: int, members: NDArray[np.intp] | None = None) -> list[NDArray[np.intp]]:
    """Divide tiles into compact parts of about equal area: across their longer extent, and so on with each side.

    Parameters
    ----------
    ground : Ground
    number : int
        Number of parts.
    members : array of int, optional
        Tiles to divide; by default all.

    Returns
    -------
    list of array
        The tiles of each part. Equal positions are divided by the tiles' order, so that the result is always the same.
    """
    members = np.arange(len(ground.areas)) if members is None else members
    if number == 1:
        return [members]
    centres = ground.centres[members]
    axis = int(np.ptp(centres, axis=0).argmax())
    order = np.lexsort((members, centres[:, 1 - axis], centres[:, axis]))
    sizes = ground.areas[members][order]
    low, share = number // 2, number // 2 / number
    # The cut whose lower side is closest to its share, with a tile or more for each part of both sides.
    cuts = np.arange(low, len(members) - (number - low) + 1)
    lower = np.concatenate([[0.0], np.cumsum(sizes)])[cuts]
    cut = int(cuts[np.abs(lower - share * sizes.sum()).argmin()])
    sides = members[order[:cut]], members[order[cut:]]
    return [*bisect(ground, low, sides[0]), *bisect(ground, number - low, sides[1])]


def write_areas(areas: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write a CSV with the columns ``tile`` and ``area``; leave a file that has them already as it is.

    Raises
    ------
    UserError
        When another file is there.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["tile", "area"])
    table.writerows([tile, area] for area, tiles in areas.items() for tile in tiles)
    if path.exists() and (not path.is_file() or path.read_bytes() != text.getvalue().encode()):
        remedy = "Name another one with --out, or remove it: runs on its areas would no longer match."
        raise UserError(path, "a file with other content", "a new file", remedy)
    write_text(path, text.getvalue())


def _located(dataset: Dataset, tile: str) -> Footprint:
    footprint = read_footprint(dataset, tile)
    if footprint is None:
        remedy = "Add the georeference, or write areas by hand."
        raise DataError(dataset.files("image", tile)[0], "no georeference", "one, to divide tiles by place", remedy)
    return footprint


def _centres(footprints: Sequence[Footprint], polygons: NDArray[np.object_]) -> NDArray[np.float64]:
    for footprint, polygon in zip(footprints, polygons, strict=True):
        if polygon is None:
            observed = f"the CRS {footprint.crs}, which cannot be compared with those of other tiles"
            raise DataError(
                f"tile {footprint.tile}", observed, "a CRS on the earth", "Set crs, or write areas by hand."
            )
    points = [(polygon.centroid.x, polygon.centroid.y) for polygon in polygons]
    return np.array(points, dtype=np.float64)
