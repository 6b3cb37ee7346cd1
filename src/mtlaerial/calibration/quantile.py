"""Quantile of split conformal prediction for observations in groups."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Levels of the intervals that are calibrated and scored: shares of true heights within them."""
_ROUNDING = 1e-9


def units_needed(level: float) -> int:
    """Return the least number of units for a finite interval of a level 1 - α: ⌈1/α⌉ - 1.

    Examples
    --------
    >>> [units_needed(level) for level in (0.5, 0.8, 0.9, 0.95)]
    [1, 4, 9, 19]
    """
    # 1 / (1 - 0.9) is 10.000000000000002.
    return math.ceil((1 - _ROUNDING) / (1 - level)) - 1


def hierarchical_quantile(
    scores: NDArray[np.float64], units: NDArray[np.int64], masses: NDArray[np.float64], levels: Sequence[float]
) -> NDArray[np.float64]:
    """Return the conformal quantiles of scores that are grouped in units.

    Parameters
    ----------
    scores : array, shape (scores,)
        Conformity scores: the larger, the worse the prediction.
    units : array of int, shape (scores,)
        Unit of each score.
    masses : array, shape (scores,)
        Number of observations of its unit that a score stands for; 1 where all are given.
    levels : sequence of float
        Levels 1 - α, between 0 and 1.

    Returns
    -------
    array, shape (levels,)
        The least score q such that a new unit's observation is at most q with a probability of at least the level;
        infinite with fewer than :func:`units_needed` units.

    Notes
    -----
    CDF pooling for two-layer hierarchical models (Dunn, Wasserman and Ramdas 2023, arXiv 1809.07441): each unit has an
    empirical distribution of its scores, and the quantile is that of the mean of these. Pooling alone is valid for many
    units only. The variant here, hierarchical conformal prediction (Lee, Barber and Willett 2023, arXiv 2306.06342),
    takes a further unit into the mean, the new one, whose scores count as infinite. With n units of N(k) scores it is
    the quantile of

        Σ_k Σ_i δ(s_ki) / ((n + 1) N(k)) + δ(∞) / (n + 1)

    Guaranteed, whatever the distributions and the sizes of units: where the units and the new one are exchangeable, an
    observation drawn at random from the new unit is covered with a probability of at least 1 - α; without ties, of at
    most 1 - α + 2 / (n + 1). The probability is over the units, those of the calibration too. Not guaranteed: coverage
    of a particular unit, or of observations that are pooled over units of different sizes.
    With one score per unit it is the ⌈(n + 1)(1 - α)⌉-th smallest score: plain split conformal prediction.
    """
    number = len(np.unique(units))
    unit_masses = np.bincount(units, weights=masses)
    order = np.argsort(scores, kind="stable")
    weights = (masses / unit_masses[units])[order] / (number + 1)
    cumulated = np.cumsum(weights)
    # Without the tolerance, rounding of a sum of weights could ask for the next larger score.
    positions = np.searchsorted(cumulated, np.asarray(levels) - _ROUNDING)
    return np.append(scores[order], np.inf)[positions]
