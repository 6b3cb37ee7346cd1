"""Place of maps without a CRS: a plane of metres, which the map shows around longitude 0 and latitude 0."""

from collections.abc import Mapping
from itertools import combinations
from typing import TypeVar

from affine import Affine

from mtlaerial.rasters.grid import Grid
from mtlaerial.viewer.mercator import Bounds, union
from mtlaerial.viewer.source import intersection

GAP = 0.05
"""Space between maps side by side, as a share of the widest."""
Key = TypeVar("Key")


def plane_transforms(grids: Mapping[Key, Grid]) -> dict[Key, Affine]:
    """Return the transforms from (column, row) to the plane, north up, by map.

    Maps whose coordinates do not overlap keep their places to each other; else they lie side by side, in their order,
    as do maps without any coordinates. A unit of their coordinates, or a pixel where they have none, is a metre.

    Parameters
    ----------
    grids : mapping of map to Grid
        The grid of one raster of each map.

    Examples
    --------
    >>> grid = Grid(None, Affine.identity(), 2, 4)
    >>> plane_transforms({"map": grid})["map"] @ (2, 1)
    (0.0, 0.0)
    """
    if not grids:
        return {}
    upright = {key: _north_up(grid.transform) for key, grid in grids.items()}
    extents = {key: _extent(upright[key], grid) for key, grid in grids.items()}
    if any(intersection(*pair) for pair in combinations(extents.values(), 2)):
        shifts = _side_by_side(extents)
    else:
        shifts = dict.fromkeys(extents, (0.0, 0.0))
    west, south, east, north = union([_moved(extents[key], shifts[key]) for key in extents])
    centre = (west + east) / 2, (south + north) / 2
    return {
        key: Affine.translation(shifts[key][0] - centre[0], shifts[key][1] - centre[1]) @ upright[key] for key in grids
    }


def _north_up(transform: Affine) -> Affine:
    """Return a transform whose rows run to the south; those of images without georeference run to the north."""
    return Affine.scale(1, -1) @ transform if transform.e > 0 else transform


def _extent(transform: Affine, grid: Grid) -> Bounds:
    return Grid(None, transform, grid.height, grid.width).bounds


def _side_by_side(extents: Mapping[Key, Bounds]) -> dict[Key, tuple[float, float]]:
    """Return how far each map is moved so that they lie in a row."""
    gap = GAP * max(east - west for west, _, east, _ in extents.values())
    shifts, place = {}, 0.0
    for key, (west, _, east, north) in extents.items():
        shifts[key] = (place - west, -north)
        place += east - west + gap
    return shifts


def _moved(bounds: Bounds, shift: tuple[float, float]) -> Bounds:
    west, south, east, north = bounds
    return west + shift[0], south + shift[1], east + shift[0], north + shift[1]
