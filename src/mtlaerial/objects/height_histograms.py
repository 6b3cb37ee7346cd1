"""Histograms of objects' heights in centimetres, from which exact percentiles follow without the pixels."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.objects.strip import NO_VALUE

_BITS = 20
"""Bits of a height in centimetres: heights below 10,485 m."""


@dataclass(frozen=True)
class HeightHistograms:
    """Sparse histograms of objects.

    Attributes
    ----------
    keys : array of int64, ascending
        Object from 0, times 2^20, plus height in centimetres.
    counts : array of int64
        Pixels of each key.
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.int32], heights: NDArray[np.int32]) -> Self:
        """Return the histograms of the objects, from 1, in a block.

        Parameters
        ----------
        labels : array of int32, shape (rows, columns)
        heights : array of int32, shape (rows, columns), centimetres
            Not below 0; ``NO_VALUE`` without one.
        """
        present = (labels > 0) & (heights != NO_VALUE)
        objects = labels[present].astype(np.int64) - 1
        keys = (objects << _BITS) | np.minimum(heights[present], (1 << _BITS) - 1)
        return cls(*np.unique(keys, return_counts=True))

    def united(self, others: Self) -> Self:
        """Return the sums of histograms of the same objects."""
        keys, places = np.unique(np.concatenate([self.keys, others.keys]), return_inverse=True)
        counts = np.zeros(len(keys), dtype=np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, others.counts]))
        return type(self)(keys, counts)

    def renumbered(self, numbers: NDArray[np.int32]) -> Self:
        """Return the histograms of objects by their new numbers, from 0; those with a negative number are left out.

        Several objects may have one number: their histograms are added up.
        """
        new = numbers[self.keys >> _BITS].astype(np.int64)
        numbered = new >= 0
        keys = (new[numbered] << _BITS) | (self.keys[numbered] & ((1 << _BITS) - 1))
        nothing = type(self)(np.zeros(0, np.int64), np.zeros(0, np.int64))
        return nothing.united(type(self)(keys, self.counts[numbered]))

    def measures(self, count: int) -> dict[str, NDArray[np.float64]]:
        """Return median, 90th percentile, maximum and mean of the heights of each object, in metres.

        Percentiles are interpolated between the nearest ranks, as by default in NumPy. They are NaN for objects
        without heights.
        """
        objects = self.keys >> _BITS
        values = (self.keys & ((1 << _BITS) - 1)).astype(np.float64) / 100
        cumulative = np.cumsum(self.counts)
        ends = cumulative[np.searchsorted(objects, np.arange(count), side="right") - 1] if len(objects) else None
        totals = np.bincount(objects, self.counts, minlength=count).astype(np.int64)
        present = totals > 0
        result = {name: np.full(count, np.nan) for name in ("median", "p90", "max", "mean")}
        if ends is None:
            return result
        starts, totals = (ends - totals)[present], totals[present]
        for name, share in (("median", 0.5), ("p90", 0.9), ("max", 1.0)):
            rank = share * (totals - 1)
            below = np.floor(rank).astype(np.int64)
            low, high = (
                values[np.searchsorted(cumulative, starts + each, side="right")]
                for each in (below, np.minimum(below + 1, totals - 1))
            )
            result[name][present] = low + (high - low) * (rank - below)
        sums = np.bincount(objects, (self.keys & ((1 << _BITS) - 1)) * self.counts, minlength=count)
        result["mean"][present] = sums[present] / totals / 100
        return result
