"""Common ground of tiles in different groups, also where their CRSs differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""
Polygons = NDArray[np.object_]
Pairs = NDArray[np.intp]
_SEGMENTS = 8
"""Segments per side of a footprint that is reprojected: its sides become curves."""

_ROUND = np.array([360.0, 0.0])
"""Once around the earth."""


@dataclass(frozen=True)
class Place:
    """The ground of a tile."""

    group: str
    """The split or the area that the tile belongs to."""
    bounds: Bounds
    crs: CRS | None
    """The horizontal CRS; None if it is not known."""


@cache
def horizontal_crs(text: str) -> CRS | None:
    """Return the horizontal part of a CRS given as text; None if it is no CRS.

    Examples
    --------
    >>> horizontal_crs("EPSG:32632+5773").to_epsg()
    32632
    """
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        return None
    return crs.sub_crs_list[0] if crs.is_compound else crs


def overlaps(places: Sequence[Place]) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of tiles of different groups with common ground, by index, and their overlap.

    The overlap is the common area as a share of the smaller tile. It is measured in the CRS of the first tile. Spatial
    indices find the pairs, so that the time grows with the number of neighbours, not with the square of the tiles.
    """
    groups = np.array([place.group for place in places])
    boxes = _boxes(places)
    zones = _zones(places)
    for zone in np.unique(zones):
        members = np.flatnonzero(zones == zone)
        pairs = members[shapely.STRtree(boxes[members]).query(boxes[members], predicate="intersects")]
        for first, second in _distinct(pairs, groups):
            yield int(first), int(second), _share(boxes[first], boxes[second])
    yield from _overlaps_across(places, boxes, zones, groups)


def in_lon_lat(places: Sequence[Place]) -> Polygons:
    """Return the footprints in longitude and latitude; None for those whose CRS has no such transform."""
    polygons = _boxes(places)
    for index, place in enumerate(places):
        polygons[index] = reproject(polygons[index], place.crs, _lon_lat())
    return polygons


def reproject(polygon: Any, source: CRS | None, target: CRS) -> Any:
    """Return a polygon in another CRS, its sides densified; None where that is not possible."""
    if source is None:
        return None
    try:
        transform = _transformer(source, target).transform
    except ProjError:
        return None
    west, south, east, north = polygon.bounds
    dense = shapely.segmentize(polygon, max(east - west, north - south) / _SEGMENTS)
    points = shapely.get_coordinates(dense)
    x, y = transform(points[:, 0], points[:, 1])
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return shapely.set_coordinates(dense, np.column_stack([x, y]))


def _overlaps_across(
    places: Sequence[Place], boxes: Polygons, zones: NDArray[np.intp], groups: NDArray[np.str_]
) -> Iterator[tuple[int, int, float]]:
    """Yield the overlaps of tiles in different CRSs."""
    if len(np.unique(zones)) < 2:
        return
    polygons, owners = _around_the_antimeridian(in_lon_lat(places))
    pairs = owners[shapely.STRtree(polygons).query(polygons, predicate="intersects")]
    for first, second in np.unique(_distinct(pairs, groups), axis=0):
        crs = places[first].crs
        if zones[first] == zones[second] or crs is None:
            continue
        other = reproject(boxes[second], places[second].crs, crs)
        if other is not None:
            yield int(first), int(second), _share(boxes[first], other)


def _around_the_antimeridian(polygons: Polygons) -> tuple[Polygons, Pairs]:
    """Return footprints, and their tiles, such that neighbours across 180° E meet: those there are given twice."""
    shapes: list[Any] = []
    owners: list[int] = []
    for owner, polygon in enumerate(polygons):
        if polygon is None:
            continue
        copies = [polygon]
        if polygon.bounds[2] - polygon.bounds[0] > 180:
            points = shapely.get_coordinates(polygon)
            points[points[:, 0] < 0] += _ROUND
            east = shapely.set_coordinates(polygon, points)
            copies = [east, shapely.transform(east, lambda xy: xy - _ROUND)]
        shapes += copies
        owners += [owner] * len(copies)
    return np.array(shapes, dtype=object), np.array(owners, dtype=np.intp)


def _boxes(places: Sequence[Place]) -> Polygons:
    boxes: Polygons = np.array([shapely.box(*place.bounds) for place in places], dtype=object)
    return boxes


def _zones(places: Sequence[Place]) -> NDArray[np.intp]:
    """Return a number per tile that tiles in the same horizontal CRS share."""
    systems: list[CRS | None] = []
    for crs in {id(place.crs): place.crs for place in places}.values():
        if not any(_same_crs(crs, system) for system in systems):
            systems.append(crs)
    numbers = {id(place.crs): _zone(place.crs, systems) for place in places}
    return np.array([numbers[id(place.crs)] for place in places], dtype=np.intp)


def _zone(crs: CRS | None, systems: Sequence[CRS | None]) -> int:
    return next(number for number, system in enumerate(systems) if _same_crs(crs, system))


def _same_crs(first: CRS | None, second: CRS | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(first.equals(second, ignore_axis_order=True))


def _distinct(pairs: Pairs, groups: NDArray[np.str_]) -> Pairs:
    """Return each pair of tiles of different groups once, shape (pairs, 2)."""
    first, second = pairs
    chosen = (first < second) & (groups[first] != groups[second])
    return np.column_stack([first[chosen], second[chosen]])


def _share(first: Any, second: Any) -> float:
    # Rounded, so that a tile within another is wholly covered.
    return round(float(first.intersection(second).area / min(first.area, second.area)), 6)


@cache
def _transformer(source: CRS, target: CRS) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


@cache
def _lon_lat() -> CRS:
    return CRS.from_epsg(4326)
