"""Confidence interval of a mean over seeds and test tiles, both drawn at random from many."""

from math import exp
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # quantiles of Student's distribution; all of scipy.stats takes a second to import

Array = NDArray[np.float64]
Number = TypeVar("Number", float, Array)
CONFIDENCE = 0.95
_HALVINGS = 60
"""Halvings of the interval of log(p), which leave an error far below any digit shown."""
_LOWEST_LOG_P = -34.0
"""Of 1e-15: 1 - p has no more digits."""


def half_width(seed_error: Number, tile_error: Number, seeds: int, tiles: int, confidence: float) -> Number:
    """Return half the width of the confidence interval of a mean over crossed seeds and tiles.

    Parameters
    ----------
    seed_error, tile_error : float or array
        Standard errors of the mean, from the means of the seeds alone and from those of the tiles alone.
    seeds, tiles : int
        At least 2 of each.
    confidence : float
        For example 0.95.

    Returns
    -------
    float or array
        The root of the squared half-widths of Student's intervals over seeds and over tiles.

    Notes
    -----
    For values y = effect + seed + tile + rest with independent normal deviations, the variance of the mean is at most
    the sum of both squared errors' expectations, which are independent of each other and of the mean. Student's
    quantile of each part by its own degrees of freedom then gives an interval that holds its level for any number of
    seeds and tiles and any ratio of the variances (Banerjee 1960, Sankhyā 22, 357-358): by chi-squares of both parts
    the coverage is a mean of concave functions of them. Satterthwaite's approximation (Clark 1973, doi
    10.1016/S0022-5371(73)80014-3) does not hold it with few seeds and many tiles; see docs/scores.md.
    """
    of_seeds, of_tiles = (float(stdtrit(units - 1, (1 + confidence) / 2)) for units in (seeds, tiles))
    width: Number = np.hypot(of_seeds * seed_error, of_tiles * tile_error)
    return width


def p_value(effect: float, seed_error: float, tile_error: float, seeds: int, tiles: int) -> float:
    """Return the two-sided p-value of no effect: the smallest p whose interval of confidence 1 - p has no 0.

    Parameters
    ----------
    effect : float
    seed_error, tile_error, seeds, tiles
        See :func:`half_width`.
    """
    low, high = _LOWEST_LOG_P, 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        excludes_zero = half_width(seed_error, tile_error, seeds, tiles, 1 - exp(middle)) < abs(effect)
        low, high = (low, middle) if excludes_zero else (middle, high)
    return exp(high)
