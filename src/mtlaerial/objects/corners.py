"""Corners of objects' outlines along the edges of pixels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, UP, DOWN = 0, 1, 0, 1
"""Directions in which the two edges of a corner leave it."""


class Corners(NamedTuple):
    """Corners, an element of each array per corner.

    Attributes
    ----------
    objects : array of int32
        Objects from 1.
    rows, columns : array of int32
        Lattice point: the upper left corner of the pixel of that row and column.
    across, along : array of int8
        ``LEFT`` or ``RIGHT``, and ``UP`` or ``DOWN``: directions of the horizontal and of the vertical edge.
    convex : array of bool
        Whether the pixel between the two edges is the object's.
    """

    objects: NDArray[np.int32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    across: NDArray[np.int8]
    along: NDArray[np.int8]
    convex: NDArray[np.bool_]

    @classmethod
    def none(cls) -> "Corners":
        """Return no corners."""
        whole, directions = np.zeros(0, np.int32), np.zeros(0, np.int8)
        return cls(whole, whole, whole, directions, directions, np.zeros(0, np.bool_))

    def _arrays(self) -> list[NDArray[Any]]:
        return [self.objects, self.rows, self.columns, self.across, self.along, self.convex]

    def take(self, index: NDArray[Any]) -> "Corners":
        """Return some of the corners, by a mask or by their numbers."""
        arrays = [values[index] for values in self._arrays()]
        return Corners(*arrays)

    def joined(self, others: "Corners") -> "Corners":
        """Return these corners and others."""
        arrays = [np.concatenate(pair) for pair in zip(self._arrays(), others._arrays(), strict=True)]
        return Corners(*arrays)

    def renumbered(self, numbers: NDArray[np.int32]) -> "Corners":
        """Return the corners with new numbers of their objects; ``numbers`` is indexed by the old ones, from 1."""
        return self._replace(objects=numbers[self.objects])


def find_corners(labels: NDArray[np.int32], row: int) -> Corners:
    """Return the corners between the pixels of a block.

    Parameters
    ----------
    labels : array of int32, shape (rows, columns)
        Objects from 1. The block's own outermost pixels only tell what is around the others.
    row : int
        Row of the lattice between the first and the second row of pixels; the column there is 0.

    Notes
    -----
    A lattice point has four pixels. Of an object that has one or three of them the outline turns there. Of one that has
    two opposite pixels it passes twice, each time around a pixel that is not the object's: with objects of
    4-neighbourhood, each ring then visits the point once, and polygons are valid.
    """
    quads = labels[:-1, :-1], labels[:-1, 1:], labels[1:, :-1], labels[1:, 1:]
    a, b, c, d = quads
    turning = ~(((a == b) & (c == d)) | ((a == c) & (b == d)))
    rows, columns = np.nonzero(turning)
    a, b, c, d = (quad[turning] for quad in quads)
    parts: list[tuple[Any, ...]] = []
    # Around the pixel p, whose neighbours are q and r and whose opposite is o, the edges leave in the same directions
    # whether p alone is the object's, or p alone is not.
    for p, q, r, o, across, along in (
        (a, b, c, d, LEFT, UP),
        (b, a, d, c, RIGHT, UP),
        (c, d, a, b, LEFT, DOWN),
        (d, c, b, a, RIGHT, DOWN),
    ):
        alone = (p > 0) & (p != q) & (p != r) & (p != o)
        around = (q > 0) & (q == r) & (p != q)  # o is the object's or not: three of the four, or two opposite ones
        for index, owner, convex in ((alone, p, True), (around, q, False)):
            points = rows[index].astype(np.int32) + np.int32(row), columns[index].astype(np.int32)
            objects = owner[index]
            directions = (np.full(len(objects), value, dtype=np.int8) for value in (across, along))
            parts.append((objects, *points, *directions, np.full(len(objects), convex)))
    arrays: list[Any] = [np.concatenate(each) for each in zip(*parts, strict=True)]
    return Corners(*arrays)


def separated(corners: Corners) -> Corners:
    """Return corners whose outlines pass a point twice around pixels that are not the object's.

    Two objects that meet in a point have a convex corner each there. Where both turn out to be one, which a strip
    further south tells, its outline would visit the point twice with one ring.

    Parameters
    ----------
    corners : Corners
        Sorted by object, row and column.
    """
    alike = np.ones(max(len(corners.rows) - 1, 0), dtype=np.bool_)
    for values in (corners.objects, corners.rows, corners.columns):
        alike &= values[1:] == values[:-1]
    pairs = np.flatnonzero(alike & corners.convex[1:] & corners.convex[:-1])
    along, convex = corners.along.copy(), corners.convex.copy()
    along[pairs], along[pairs + 1] = corners.along[pairs + 1], corners.along[pairs]
    convex[pairs], convex[pairs + 1] = False, False
    return corners._replace(along=along, convex=convex)
