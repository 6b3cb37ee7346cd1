"""Random samples of bounded size from the pixels of each unit, drawn while pixels are streamed."""

import numpy as np
from numpy.typing import NDArray

SIZE = 256
"""Pixels of a unit that a sample holds at most. Neighbouring pixels of a cell say much the same, so that more of them
would hardly change a quantile over a hundred cells."""


class UnitSample:
    """Uniform samples without replacement of the values of each group, whose sizes are not known beforehand.

    Each value gets a random key, and a group keeps the values of its lowest keys.

    Parameters
    ----------
    size : int
        Values per group at most.
    seed : int
        Seed of the keys: the same values in the same order give the same sample.

    Attributes
    ----------
    groups : array of int64, shape (values,)
        Group of each sampled value, ascending.
    values : array of float64, shape (values, …)
    counts : array of int64, shape (groups,)
        Number of all values of each group that were added.
    """

    def __init__(self, size: int = SIZE, seed: int = 0) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self._keys = np.zeros(0)
        self.groups: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.values: NDArray[np.float64] = np.zeros(0)
        self.counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, groups: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add values, shape (values, …), with the group of each, counted from 0."""
        if not groups.size:
            return
        numbers = np.bincount(groups, minlength=len(self.counts))
        keys = self._random.random(len(groups))
        # Of many values only those with low keys can be in the sample; four times its size leaves none short.
        candidates = keys * numbers[groups] < 4 * self._size
        before = self.values if self.values.size else np.zeros((0, *values.shape[1:]))
        all_keys = np.concatenate([self._keys, keys[candidates]])
        all_groups = np.concatenate([self.groups, groups[candidates]])
        all_values = np.concatenate([before, values[candidates]])
        order = np.lexsort((all_keys, all_groups))
        ordered = all_groups[order]
        rank = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        chosen = order[rank < self._size]
        self._keys, self.groups, self.values = all_keys[chosen], all_groups[chosen], all_values[chosen]
        self.counts = numbers + np.pad(self.counts, (0, len(numbers) - len(self.counts)))

    @property
    def masses(self) -> NDArray[np.float64]:
        """Number of values that each sampled one stands for, shape (values,)."""
        sampled = np.bincount(self.groups, minlength=len(self.counts))
        masses: NDArray[np.float64] = self.counts[self.groups] / sampled[self.groups]
        return masses
