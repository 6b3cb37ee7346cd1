"""Choice of proposed outlines that overlap no other outline, by a sweep from north to south."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.objects.object_store import Outlines
from mtlaerial.objects.outlines import Polygons

Firsts = NDArray[np.int64]
Mask = NDArray[np.bool_]


class _Versions(NamedTuple):
    """Outlines of objects, the one along pixels and the one proposed, an element of each array per outline.

    Attributes
    ----------
    firsts : array of int64
        Index of the object's first pixel.
    proposed : array of bool
    polygons : array of shapely.Polygon
    """

    firsts: Firsts
    proposed: Mask
    polygons: Polygons

    @classmethod
    def of(cls, part: Outlines) -> "_Versions":
        """Return both outlines of the objects of a part, or one where none is proposed."""
        there = ~shapely.is_missing(part.proposals)
        firsts = np.concatenate([part.firsts, part.firsts[there]])
        proposed = np.arange(len(firsts)) >= len(part.firsts)
        return cls(firsts, proposed, np.concatenate([part.polygons, part.proposals[there]]))

    def joined(self, others: "_Versions") -> "_Versions":
        """Return these outlines and others."""
        arrays: list[Any] = [np.concatenate(pair) for pair in zip(self, others, strict=True)]
        return _Versions(*arrays)

    def take(self, mask: Mask) -> "_Versions":
        """Return some of the outlines."""
        return _Versions(self.firsts[mask], self.proposed[mask], self.polygons[mask])


class _Pairs(NamedTuple):
    """Outlines of two objects that overlap, a column of each array per pair; one of the two at least is proposed.

    Attributes
    ----------
    firsts : array of int64, shape (2, pairs)
        Index of each object's first pixel.
    proposed : array of bool, shape (2, pairs)
    """

    firsts: Firsts
    proposed: Mask


def without_overlaps(read: Callable[[], Iterator[Outlines]], reach: float, negligible: float) -> Firsts:
    """Return the objects that can adopt their proposed outlines, by their first pixels, ascending.

    Proposed outlines that overlap an outline of another object are not adopted. As that object may keep an outline
    that overlaps further ones, they are taken back until none does.

    Parameters
    ----------
    read : function
        Returns the outlines, sorted by first pixels. Those along pixels never overlap each other.
    reach : float
        Distance by which proposed outlines are beyond those along pixels, at most.
    negligible : float
        Area of an overlap that rounding explains.

    Notes
    -----
    In memory are the outlines that reach those of objects to come, and the numbers of pairs that overlap.
    """
    firsts, proposed = [np.zeros((2, 0), np.int64)], [np.zeros((2, 0), np.bool_)]
    adopted = np.zeros(0, np.int64)
    active = _Versions(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, dtype=object))
    for part in read():
        versions = _Versions.of(part)
        adopted = np.concatenate([adopted, versions.firsts[versions.proposed]])
        active = active.joined(versions)
        pairs = _overlapping(versions, active, negligible)
        firsts.append(pairs.firsts)
        proposed.append(pairs.proposed)
        # Objects to come begin at the row of the last first pixel, or south of it.
        active = active.take(_south(active.polygons) < _north(part.polygons[-1:])[0] + reach)
    return _settled(adopted, _Pairs(np.concatenate(firsts, axis=1), np.concatenate(proposed, axis=1)))


def _settled(adopted: Firsts, pairs: _Pairs) -> Firsts:
    """Return which proposed outlines remain when overlapping ones are taken back."""
    while True:
        current = np.isin(pairs.firsts, adopted) == pairs.proposed
        remaining = np.setdiff1d(adopted, pairs.firsts[:, current.all(axis=0)])
        if len(remaining) == len(adopted):
            return remaining
        adopted = remaining


def _overlapping(versions: _Versions, others: _Versions, negligible: float) -> _Pairs:
    """Return the pairs of outlines and others that overlap by more than an area."""
    index = np.stack(shapely.STRtree(others.polygons).query(versions.polygons, predicate="intersects"))
    firsts = np.stack([versions.firsts[index[0]], others.firsts[index[1]]])
    proposed = np.stack([versions.proposed[index[0]], others.proposed[index[1]]])
    possible = (firsts[0] != firsts[1]) & proposed.any(axis=0)
    first, second = versions.polygons[index[0, possible]], others.polygons[index[1, possible]]
    overlapping = np.flatnonzero(possible)[shapely.area(shapely.intersection(first, second)) > negligible]
    return _Pairs(firsts[:, overlapping], proposed[:, overlapping])


def _south(polygons: Polygons) -> NDArray[np.float64]:
    return np.asarray(shapely.bounds(polygons)[:, 1])


def _north(polygons: Polygons) -> NDArray[np.float64]:
    return np.asarray(shapely.bounds(polygons)[:, 3])
