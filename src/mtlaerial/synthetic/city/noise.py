"""Randomness that depends on the place alone, so that any part of the town can be made on its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.uint32]
Ints = NDArray[np.int32]
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
        state = state ^ _bits(key)
        state ^= state >> np.uint32(16)
        state *= _FIRST
        state ^= state >> np.uint32(15)
        state *= _SECOND
        state ^= state >> np.uint32(16)
        state += _THIRD
    return state if any(np.ndim(key) for key in keys) else state.reshape(())


def _bits(key: Any) -> Ids:
    """Return the lowest 32 bits of integers, which may be whole floats; of negative ones the two's complement."""
    values = np.asarray(key)
    return (values if values.dtype.kind in "iub" else values.astype(np.int64)).astype(np.uint32, copy=False)


def uniform(*keys: Any) -> Floats:
    """Hash integers to float32 in [0, 1)."""
    fraction = (mix(*keys) >> np.uint32(8)).astype(np.float32)
    fraction *= np.float32(2**-24)
    return fraction


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
    if row.shape[-1:] == column.shape[:1] == (1,) and row.ndim == column.ndim == 2:
        upper, lower = _along_rows(lattice, row[:, 0], column[0], across)
    else:
        upper, lower = _at_points(lattice, row, column, across)
    lower -= upper
    lower *= down
    lower += upper
    return lower


def _along_rows(lattice: Floats, row: Ints, column: Ints, across: Floats) -> tuple[Floats, Floats]:
    """Interpolate along the lattice's rows above and below the rows of a raster: once for each, not for each pixel."""
    along = lattice[:, column] * (1 - across) + lattice[:, column + 1] * across
    return along[row], along[row + 1]


def _at_points(lattice: Floats, row: Ints, column: Ints, across: Floats) -> tuple[Floats, Floats]:
    """Interpolate along the lattice's rows above and below scattered points."""
    index, values = row * lattice.shape[1] + column, lattice.ravel()
    left, upper, lower = 1 - across, values.take(index), values.take(index + lattice.shape[1])
    upper *= left
    upper += values.take(index + 1) * across
    lower *= left
    lower += values.take(index + lattice.shape[1] + 1) * across
    return upper, lower


def _split(t: Floats) -> tuple[Ints, Floats]:
    """Split into lattice index and eased fraction, whose slope vanishes at the lattice's points."""
    whole = np.floor(t)
    fraction = t - whole
    return whole.astype(np.int32), fraction * fraction * (3 - 2 * fraction)
