"""Outlines of objects as polygons along the edges of pixels."""

from array import array
from typing import NamedTuple

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray

from mtlaerial.objects.corners import Corners, separated

Polygons = NDArray[np.object_]
Whole = NDArray[np.int32]


class Rings(NamedTuple):
    """Closed rings, one after the other, without the repeated first corner.

    Attributes
    ----------
    rows, columns : array of int64
        Lattice points.
    starts : array of int64, shape (rings + 1,)
        First corner of each ring, and the number of corners.
    objects : array of int32, shape (rings,)
        Object of each ring, ascending; the first one of an object is its exterior ring.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    objects: NDArray[np.int32]

    @property
    def areas(self) -> NDArray[np.float64]:
        """Areas in pixels."""
        if len(self.objects) == 0:
            return np.zeros(0)
        following = np.arange(1, len(self.rows) + 1)
        following[self.starts[1:] - 1] = self.starts[:-1]
        doubled = self.rows[following] * self.columns - self.rows * self.columns[following]
        areas: NDArray[np.float64] = np.abs(np.add.reduceat(doubled, self.starts[:-1])) / 2
        return areas

    @property
    def exterior(self) -> NDArray[np.bool_]:
        """Whether a ring is an object's exterior ring."""
        first: NDArray[np.bool_] = np.diff(self.objects, prepend=-1) != 0
        return first


def outline(corners: Corners, transform: Affine, smallest_hole: float) -> Polygons:
    """Return the polygons of objects, in the order of their numbers.

    Parameters
    ----------
    corners : Corners
        All corners of each of the objects.
    transform : Affine
        From columns and rows to coordinates, with north up.
    smallest_hole : float
        Area in pixels; smaller holes are filled.

    Returns
    -------
    array of shapely.Polygon
        Exterior rings counterclockwise, interior rings clockwise. Each ring begins at its upper left corner.
    """
    rings = trace(corners)
    drawn = rings.exterior | (rings.areas >= smallest_hole)
    if len(rings.objects) == 0:
        return np.zeros(0, dtype=object)
    closing = np.insert(np.arange(len(rings.rows)), rings.starts[1:], rings.starts[:-1])
    lengths = np.diff(rings.starts) + 1  # with the repeated first corner
    used = closing[np.repeat(drawn, lengths)]
    x = transform.c + transform.a * rings.columns[used]
    y = transform.f + transform.e * rings.rows[used]
    points = np.column_stack([x, y])
    ring_ends = np.concatenate([[0], np.cumsum(lengths[drawn])])
    first_rings = np.flatnonzero(rings.exterior[drawn])
    polygon_ends = np.append(first_rings, np.count_nonzero(drawn))
    kind = shapely.GeometryType.POLYGON
    polygons: Polygons = shapely.from_ragged_array(kind, points, (ring_ends, polygon_ends))
    return polygons


def trace(corners: Corners) -> Rings:
    """Return the rings of objects, of each object its exterior ring first.

    Notes
    -----
    Along a row of the lattice, an object's corners are pairwise the ends of its horizontal edges, and along a column
    those of its vertical edges. Rings follow both kinds of edges by turns.
    """
    order = _order(corners.objects, corners.rows, corners.columns, corners.across)
    sorted_corners = separated(corners.take(order))
    objects, rows, columns = sorted_corners[:3]
    by_column = _order(objects, columns, rows, sorted_corners.along)
    vertical = np.empty(len(rows), dtype=np.int64)
    vertical[by_column[::2]], vertical[by_column[1::2]] = by_column[1::2], by_column[::2]
    sequence, starts = _follow(array("q", vertical.tobytes()), array("i", objects.tobytes()))
    index = np.frombuffer(sequence, dtype=np.int64)
    ends = np.array([*starts, len(sequence)], dtype=np.int64)
    return Rings(rows[index].astype(np.int64), columns[index].astype(np.int64), ends, objects[index[ends[:-1]]])


def _order(objects: Whole, lines: Whole, places: Whole, directions: NDArray[np.int8]) -> NDArray[np.intp]:
    """Return the order by objects, then by lines of the lattice, then by places and directions along them."""
    length = int(places.max(initial=0)) + 1
    return np.lexsort(((lines.astype(np.int64) * length + places) * 2 + directions, objects))


def _follow(vertical: "array[int]", objects: "array[int]") -> tuple["array[int]", list[int]]:
    """Return the corners of all rings in order, and the position of the first one of each.

    Corners are sorted by rows, so that the horizontal edge of corner ``i`` leads to ``i ^ 1``.
    """
    pending = bytearray(b"\1") * len(vertical)
    sequence = array("q")  # a list would take four times the memory
    starts: list[int] = []
    last = None
    for start, current in enumerate(objects):
        if not pending[start]:
            continue
        starts.append(len(sequence))
        exterior, last = current != last, current
        corner = start
        # The first corner of a ring is its upper left one. With north up, downwards is counterclockwise.
        while pending[corner]:
            following = vertical[corner] if exterior else corner ^ 1
            sequence.append(corner)
            sequence.append(following)
            pending[corner] = pending[following] = 0
            corner = following ^ 1 if exterior else vertical[following]
    return sequence, starts
