"""Random samples of bounded size from the pixels of each unit, drawn while pixels are streamed."""

import math

import numpy as np
from numpy.typing import NDArray

SIZE = 256
"""Pixels of a unit that a sample holds at most. Neighbouring pixels of a cell say much the same, so that more of them
would hardly change a quantile over a hundred cells."""
LARGEST = 2**23
"""Numbers that all samples hold together: 64 MiB. Where they would be more, for thousands of cells, all hold fewer
pixels."""


class UnitSample:
    """Uniform samples without replacement of the values of each group, whose sizes are not known beforehand.

    Each value gets a random key, and a group keeps the values of its lowest keys.

    Parameters
    ----------
    size : int
        Values per group at most.
    seed : int
        Seed of the keys: the same values in the same order give the same sample.
    largest : int
        Numbers that all groups hold together: ``size`` is halved until they fit.

    Attributes
    ----------
    counts : array of int64, shape (groups,)
        Number of all values of each group that were added.
    """

    def __init__(self, size: int = SIZE, seed: int = 0, largest: int = LARGEST) -> None:
        self._size, self._largest = size, largest
        self._random = np.random.default_rng(seed)
        self._keys, self._groups, self._values = np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0)
        self._waiting: list[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]] = []
        self.counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, groups: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add values, shape (values, …), with the group of each, counted from 0."""
        if not groups.size:
            return
        numbers = np.bincount(groups, minlength=len(self.counts))
        keys = self._random.random(len(groups))
        # Of many values only those with low keys can be in the sample; four times its size leaves none short.
        candidates = keys * numbers[groups] < 4 * self._size
        self._waiting.append((keys[candidates], groups[candidates], values[candidates]))
        self.counts = numbers + np.pad(self.counts, (0, len(numbers) - len(self.counts)))
        # Sorting only after as many values as the sample has makes the time proportional to that of all values.
        if sum(len(entry[0]) for entry in self._waiting) > max(len(self._keys), self._largest // 16):
            self._merge()

    @property
    def groups(self) -> NDArray[np.int64]:
        """Group of each sampled value, ascending, shape (values,)."""
        self._merge()
        return self._groups

    @property
    def values(self) -> NDArray[np.float64]:
        """Sampled values, shape (values, …)."""
        self._merge()
        return self._values

    @property
    def masses(self) -> NDArray[np.float64]:
        """Number of values that each sampled one stands for, shape (values,)."""
        sampled = np.bincount(self.groups, minlength=len(self.counts))
        masses: NDArray[np.float64] = self.counts[self.groups] / sampled[self.groups]
        return masses

    def _merge(self) -> None:
        """Take the values that wait into the sample."""
        if not self._waiting:
            return
        if self._keys.size:
            self._waiting.insert(0, (self._keys, self._groups, self._values))
        keys, groups, values = (np.concatenate(arrays) for arrays in zip(*self._waiting, strict=True))
        self._waiting.clear()
        order = np.lexsort((keys, groups))
        ordered = groups[order]
        rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        each = math.prod(values.shape[1:])
        while self._size > 1 and np.count_nonzero(rank < self._size) * each > self._largest:
            self._size //= 2
        chosen = order[rank < self._size]
        self._keys, self._groups, self._values = keys[chosen], groups[chosen], values[chosen]
