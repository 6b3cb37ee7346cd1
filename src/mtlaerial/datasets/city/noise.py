"""Randomness that depends on the place alone, so that any part of the town can be made on its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.uint32]
_FIRST, _SECOND, _THIRD = (np.array([k], np.uint32) for k in (0x7FEB352D, 0x846CA68B, 0x9E3779B9))


def mix(*keys: Any) -> Ids:
    """Hash integers, elementwise.

    Parameters
    ----------
    *keys : int or integer arrays that broadcast
        What the hash depends on, order included.

    Returns
    -------
    array of uint32
    """
    # At least one axis: numpy warns when single numbers overflow, arrays wrap around.
    state: Ids = np.zeros((1,), np.uint32)
    for key in keys:
        state = state ^ (np.asarray(key).astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)
        state = (state ^ (state >> np.uint32(16))) * _FIRST
        state = (state ^ (state >> np.uint32(15))) * _SECOND
        state = (state ^ (state >> np.uint32(16))) + _THIRD
    return state.reshape(np.broadcast_shapes(*(np.shape(key) for key in keys)))


def uniform(*keys: Any) -> Floats:
    """Hash integers to float32 in [0, 1)."""
    return (mix(*keys) >> 8).astype(np.float32) * np.float32(2**-24)


def smooth(seed: int, x: Floats, y: Floats, cell: float) -> Floats:
    """Smooth random field: random values on a square lattice, interpolated.

    Parameters
    ----------
    seed : int
        Which field.
    x, y : array of float32
        Places in metres; they broadcast.
    cell : float
        Distance of the lattice's points in metres: the size of the field's features.

    Returns
    -------
    array of float32 in [0, 1]
    """
    column, across = _split(x / np.float32(cell))
    row, down = _split(y / np.float32(cell))
    left, top = int(column.min()), int(row.min())
    lattice = uniform(seed, np.arange(top, int(row.max()) + 2)[:, None], np.arange(left, int(column.max()) + 2))
    row, column = row - top, column - left
    upper = lattice[row, column] * (1 - across) + lattice[row, column + 1] * across
    lower = lattice[row + 1, column] * (1 - across) + lattice[row + 1, column + 1] * across
    return np.asarray(upper + (lower - upper) * down, np.float32)


def _split(t: Floats) -> tuple[NDArray[np.int32], Floats]:
    """Split into lattice index and eased fraction, whose slope vanishes at the lattice's points."""
    whole = np.floor(t)
    fraction = t - whole
    return whole.astype(np.int32), fraction * fraction * (3 - 2 * fraction)
