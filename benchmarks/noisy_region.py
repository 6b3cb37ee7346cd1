"""A generated region of objects: buildings in its west, a noisy mask in its east, the worst case for outlines."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

GSD = 0.3
BLOCK = 512
"""Rows that are generated at once."""
CELL, SIDE = 64, 40
"""Distance of the generated buildings, and their side, in pixels."""
SMOOTHING = 2.0
"""Standard deviation of the smoothing of the noise in pixels: a mask with ragged shapes of all sizes."""


def codes_and_heights(
    rng: np.random.Generator, rows: int, size: int, covered: float = 0.5
) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return classes and heights in centimetres of some rows: buildings in the west, a noisy mask in the east.

    Parameters
    ----------
    rng : numpy.random.Generator
    rows, size : int
        Rows, and columns of the region.
    covered : float
        Share of the mask that is objects. From a half on, one of them spans the region.
    """
    half = size // 2
    y, x = np.ogrid[:rows, :half]
    buildings = (y % CELL < SIDE) & (x % CELL < SIDE)
    noise = gaussian_filter(rng.standard_normal((rows, size - half), dtype=np.float32), SMOOTHING)
    mask = noise > NormalDist(sigma=float(noise.std())).inv_cdf(1 - covered)
    codes = np.concatenate([buildings, mask], axis=1).astype(np.uint8)
    heights = rng.integers(200, 1500, codes.shape, dtype=np.int16)
    return codes, np.where(codes > 0, heights, 0).astype(np.int16)
