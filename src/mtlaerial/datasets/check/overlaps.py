"""Common ground of tiles in different groups, also where their CRSs differ."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from mtlaerial.datasets.footprints import Footprint, Polygons, boxes, in_lon_lat, reproject
from mtlaerial.rasters.projection import same_projection

Pairs = NDArray[np.intp]
_ROUND = np.array([360.0, 0.0])
"""Once around the earth."""


def overlaps(footprints: Sequence[Footprint]) -> Iterator[tuple[Footprint, Footprint, float]]:
    """Yield the pairs of footprints of different groups with common ground, and their overlap.

    The overlap is the common area as a share of the smaller footprint. It is measured in the CRS of the first one.
    Spatial indices find the pairs, so that the time grows with the number of neighbours, not with the square of the
    tiles.
    """
    groups = np.array([footprint.group for footprint in footprints])
    polygons, zones = boxes(footprints), _zones(footprints)
    for zone in np.unique(zones):
        members = np.flatnonzero(zones == zone)
        pairs = members[shapely.STRtree(polygons[members]).query(polygons[members], predicate="intersects")]
        for first, second in _distinct(pairs, groups):
            yield footprints[first], footprints[second], _share(polygons[first], polygons[second])
    if len(np.unique(zones)) > 1:
        for first, second in _neighbours_across(footprints, zones, groups):
            crs = footprints[first].horizontal_crs
            polygon = reproject(footprints[second], crs) if crs else None
            if polygon is not None:
                yield footprints[first], footprints[second], _share(polygons[first], polygon)


def _neighbours_across(footprints: Sequence[Footprint], zones: Pairs, groups: NDArray[np.str_]) -> Pairs:
    """Return the pairs in different CRSs that meet in longitude and latitude, shape (pairs, 2)."""
    polygons, owners = _around_the_antimeridian(in_lon_lat(footprints))
    pairs = owners[shapely.STRtree(polygons).query(polygons, predicate="intersects")]
    distinct: Pairs = np.unique(_distinct(pairs, groups), axis=0)
    across: Pairs = distinct[zones[distinct[:, 0]] != zones[distinct[:, 1]]]
    return across


def _around_the_antimeridian(polygons: Polygons) -> tuple[Polygons, Pairs]:
    """Return polygons, and their tiles, such that neighbours across 180° E meet: those there are given twice."""
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


def _zones(footprints: Sequence[Footprint]) -> Pairs:
    """Return a number per footprint that those in the same horizontal CRS share."""
    systems: list[CRS | None] = []
    numbers: dict[str | None, int] = {}
    for text, crs in {footprint.crs: footprint.horizontal_crs for footprint in footprints}.items():
        same = [number for number, system in enumerate(systems) if same_projection(crs, system)]
        if not same:
            systems.append(crs)
        numbers[text] = same[0] if same else len(systems) - 1
    return np.array([numbers[footprint.crs] for footprint in footprints], dtype=np.intp)


def _distinct(pairs: Pairs, groups: NDArray[np.str_]) -> Pairs:
    """Return each pair of different groups once, shape (pairs, 2)."""
    first, second = pairs
    chosen = (first < second) & (groups[first] != groups[second])
    return np.column_stack([first[chosen], second[chosen]])


def _share(first: Any, second: Any) -> float:
    # Rounded, so that a tile within another is wholly covered.
    return round(float(first.intersection(second).area / min(first.area, second.area)), 6)
