"""One-to-one matching of predicted and true objects by the overlap of their polygons."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

THRESHOLD = 0.5
"""Least IoU of a match. Of objects that do not overlap each other, only one can reach it with a given other object, or
two that are its halves."""
_QUARTER = 90.0
Polygons = NDArray[np.object_]


class Matches(NamedTuple):
    """Matched pairs: indices of predicted and true objects, each once at most, and their IoU, shape (pairs,)."""

    predicted: NDArray[np.int64]
    true: NDArray[np.int64]
    iou: NDArray[np.float64]


def match_objects(predicted: Polygons, true: Polygons, threshold: float = THRESHOLD) -> Matches:
    """Match objects whose intersection over union is at least a threshold, the largest IoU first.

    Parameters
    ----------
    predicted, true : array of shapely polygons, in one projected CRS
        Valid ones with an area.
    threshold : float
        Least IoU, at least 0.5.

    Examples
    --------
    >>> square, shifted = shapely.box(0, 0, 10, 10), shapely.box(2, 0, 12, 10)
    >>> matches = match_objects(np.array([square]), np.array([shifted]))
    >>> float(matches.iou[0].round(3))
    0.667
    """
    first, second = shapely.STRtree(true).query(predicted, predicate="intersects")
    shared = shapely.area(shapely.intersection(predicted[first], true[second]))
    iou = shared / (shapely.area(predicted[first]) + shapely.area(true[second]) - shared)
    possible = np.flatnonzero(iou >= threshold)
    order = possible[np.lexsort((second[possible], first[possible], -iou[possible]))]
    # Objects of a file may overlap each other, so that several reach the threshold with one: the best pair is taken.
    pairs: list[int] = []
    taken: tuple[set[int], set[int]] = set(), set()
    for index in order.tolist():
        if first[index] not in taken[0] and second[index] not in taken[1]:
            pairs.append(index)
            taken[0].add(first[index])
            taken[1].add(second[index])
    return Matches(first[pairs], second[pairs], iou[pairs])


def rotation_errors(predicted: Polygons, true: Polygons) -> NDArray[np.float64]:
    """Return the angles between the minimum rotated rectangles of pairs of polygons, 0 to 45 degrees, shape (pairs,).

    A rectangle turned by 90 degrees has the same sides, so that angles count modulo 90 degrees.

    Examples
    --------
    >>> rectangle = shapely.box(0, 0, 20, 10)
    >>> from shapely.affinity import rotate
    >>> rotation_errors(np.array([rotate(rectangle, 80)]), np.array([rectangle])).round(6).tolist()
    [10.0]
    """
    difference = abs(_directions(predicted) - _directions(true)) % _QUARTER
    return np.minimum(difference, _QUARTER - difference)


def _directions(polygons: Polygons) -> NDArray[np.float64]:
    """Return the direction of a side of the minimum rotated rectangle of each polygon in degrees."""
    rectangles = shapely.oriented_envelope(polygons)
    # Four corners, and the first one again.
    corners = shapely.get_coordinates(rectangles).reshape(len(polygons), 5, 2)
    sides = corners[:, 1] - corners[:, 0]
    directions: NDArray[np.float64] = np.degrees(np.arctan2(sides[:, 1], sides[:, 0]))
    return directions
