"""Merging of neighbouring bins that have too few units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def merged_bins(occupied: NDArray[np.bool_], needed: int) -> list[list[int]]:
    """Merge bins until each has enough units, or one is left.

    The bin with the fewest units is merged with that of its neighbours that has fewer.

    Parameters
    ----------
    occupied : array of bool, shape (units, bins)
        Whether a unit has pixels in a bin.
    needed : int

    Returns
    -------
    list of list of int
        Indices of the bins that each merged one consists of, in their order.

    Examples
    --------
    >>> merged_bins(np.array([[True, True, False], [True, True, True]]), needed=2)
    [[0], [1, 2]]
    """
    parts = [[index] for index in range(occupied.shape[1])]
    while len(parts) > 1:
        numbers = [_units(occupied, part) for part in parts]
        fewest = int(np.argmin(numbers))
        if numbers[fewest] >= needed:
            break
        neighbours = [index for index in (fewest - 1, fewest + 1) if 0 <= index < len(parts)]
        first = min(fewest, min(neighbours, key=numbers.__getitem__))
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
    return parts


def _units(occupied: NDArray[np.bool_], bins: Sequence[int]) -> int:
    return int(occupied[:, list(bins)].any(axis=1).sum())
