"""Sums over the pixels of objects, which are added up from strip to strip."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED
from mtlaerial.objects.strip import NO_VALUE, Strip

Index = NDArray[np.intp] | NDArray[np.int32] | NDArray[np.bool_]


@dataclass(frozen=True)
class Tallies:
    """Sums of objects, an element of each array per object.

    Attributes
    ----------
    codes : array of uint8
        Class.
    first : array of int64
        Index of the first pixel in the region, row by row.
    pixels : array of int64
    at_edge : array of bool
        Whether a pixel has a neighbour without a class, or outside the region.
    probability, probable : array of int64
        Sum of the probabilities in millionths, and number of pixels that have one.
    violating, checked : array of int64
        Number of pixels that break a rule between tasks, and of those that could.
    """

    codes: NDArray[np.uint8]
    first: NDArray[np.int64]
    pixels: NDArray[np.int64]
    at_edge: NDArray[np.bool_]
    probability: NDArray[np.int64]
    probable: NDArray[np.int64]
    violating: NDArray[np.int64]
    checked: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return the sums of no objects."""
        whole = [np.zeros(0, dtype=np.int64) for _ in range(4)]
        return cls(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), *whole)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: Index) -> Self:
        """Return the sums of some objects."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def united(self, others: "Tallies", sets: NDArray[np.int32], count: int) -> "Tallies":
        """Return the sums of unions of these objects and others; ``sets`` has the set of each, from 0 to ``count``."""

        def total(name: str) -> NDArray[Any]:
            parts = np.concatenate([getattr(self, name), getattr(others, name)])
            sums = np.zeros(count, dtype=parts.dtype)
            np.add.at(sums, sets, parts)  # of booleans, whether any is true
            return sums

        codes = np.zeros(count, dtype=np.uint8)
        codes[sets] = np.concatenate([self.codes, others.codes])
        first = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(first, sets, np.concatenate([self.first, others.first]))
        names = ("pixels", "at_edge", "probability", "probable", "violating", "checked")
        return Tallies(codes, first, *map(total, names))


def tally(strip: Strip, labels: NDArray[np.int32], codes: NDArray[np.uint8]) -> Tallies:
    """Return the sums over a strip's components, whether they are at an edge left out.

    Parameters
    ----------
    strip : Strip
    labels : array of int32, shape (rows, columns)
        Components from 1.
    codes : array of uint8, shape (components,)
    """
    count = len(codes)
    places = np.flatnonzero(labels)
    components = labels.ravel()[places] - 1
    first = np.zeros(count, dtype=np.int64)
    # Of equal indices NumPy assigns the last value: reversed, that of the first pixel.
    first[components[::-1]] = places[::-1] + strip.row * labels.shape[1]
    pixels = np.bincount(components, minlength=count)
    nothing = np.zeros(count, dtype=np.int64)
    probability, probable, violating, checked = nothing, nothing, nothing, nothing
    if strip.probabilities is not None:
        values = strip.probabilities.ravel()[places]
        present = values != NO_VALUE
        probable = np.bincount(components[present], minlength=count)
        # Exact: sums of whole numbers below 2^53.
        probability = np.bincount(components[present], values[present], minlength=count).astype(np.int64)
    if strip.violations is not None:
        broken = strip.violations.ravel()[places]
        checked = np.bincount(components[broken != IGNORED], minlength=count)
        violating = np.bincount(components[(broken != IGNORED) & (broken > 0)], minlength=count)
    at_edge = np.zeros(count, dtype=np.bool_)
    return Tallies(codes, first, pixels, at_edge, probability, probable, violating, checked)
