"""Errors of mapped heights at surveyed points, with bootstrap intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
RESAMPLES = 2000
_NMAD = 1.4826
"""Factor by which the median absolute deviation of normal errors is their standard deviation."""


@dataclass(frozen=True)
class HeightErrors:
    """Height errors, predicted minus surveyed, in metres.

    Attributes
    ----------
    points : int
        Number of surveyed points.
    values, lower, upper : mapping of score to float
        Of each of ``SCORES`` the estimate and the bounds of its interval.
    """

    points: int
    values: Mapping[str, float]
    lower: Mapping[str, float]
    upper: Mapping[str, float]


def estimate_height_errors(
    errors: Values, strata: NDArray[np.int64], areas: Values, level: float, seed: int = 0
) -> HeightErrors:
    """Estimate the scores of height errors over the area of some strata.

    Parameters
    ----------
    errors : array, shape (points,)
        Predicted minus surveyed heights in metres.
    strata : array of int, shape (points,)
        Stratum of each point: at least two points in each that occurs.
    areas : array, shape (strata,)
        Area of each stratum, in any unit; those without points are left out.
    level : float
        Level of the intervals, 0 to 1.
    seed : int
        Of the resampling.

    Notes
    -----
    Each point stands for an equal part of its stratum. Intervals are percentiles of a bootstrap within the strata, as
    Höhle and Höhle 2009 (doi 10.1016/j.isprsjprs.2009.02.003) advise for errors that are not normal: they are those of
    a stratified sample if n - 1 of the n points of a stratum are drawn with replacement (Rao and Wu 1988, doi
    10.1080/01621459.1988.10478591, whose rescaling is 1 for such samples).
    """
    weights = np.zeros(len(errors))
    resampled = np.zeros((RESAMPLES, len(errors)))
    random = np.random.default_rng(seed)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        number = len(members)
        weights[members] = areas[stratum] / number
        times = random.multinomial(number - 1, np.full(number, 1 / number), size=RESAMPLES)
        resampled[:, members] = areas[stratum] * times / (number - 1)
    values = {name: float(score(errors, weights[None])[0]) for name, score in SCORES.items()}
    tails = [(1 - level) / 2, (1 + level) / 2]
    bounds = {name: np.quantile(score(errors, resampled), tails) for name, score in SCORES.items()}
    lower, upper = ({name: float(pair[side]) for name, pair in bounds.items()} for side in (0, 1))
    return HeightErrors(len(errors), values, lower, upper)


def weighted_quantile(values: Values, weights: Values, share: float) -> Values:
    """Return the least values up to which at least a share of the weight lies, one for each row of weights.

    Parameters
    ----------
    values : array, shape (points,) or (rows, points)
    weights : array, shape (rows, points)
    share : float
    """
    values = np.broadcast_to(values, weights.shape)
    order = np.argsort(values, axis=1, kind="stable")
    cumulated = np.take_along_axis(weights, order, axis=1).cumsum(axis=1)
    # Without the tolerance, rounding of a sum of weights could ask for the next larger value.
    positions = (cumulated < (share - 1e-9) * cumulated[:, -1:]).sum(axis=1)
    sorted_values = np.take_along_axis(values, order, axis=1)
    quantiles: Values = sorted_values[np.arange(len(weights)), positions]
    return quantiles


def weighted_median(values: Values, weights: Values) -> Values:
    """Return the median for each row of weights: the mean of the two middle values where half of the weight ends.

    Parameters are as of :func:`weighted_quantile`.
    """
    # The upper of the two is the lower one from above.
    return (weighted_quantile(values, weights, 0.5) - weighted_quantile(-values, weights, 0.5)) / 2


def _mean(values: Values, weights: Values) -> Values:
    means: Values = weights @ values / weights.sum(axis=1)
    return means


def _nmad(errors: Values, weights: Values) -> Values:
    medians = weighted_median(errors, weights)
    return _NMAD * weighted_median(abs(errors - medians[:, None]), weights)


SCORES: dict[str, Callable[[Values, Values], Values]] = {
    "bias": _mean,
    "MAE": lambda errors, weights: _mean(abs(errors), weights),
    "RMSE": lambda errors, weights: np.sqrt(_mean(errors**2, weights)),
    "LE90": lambda errors, weights: weighted_quantile(abs(errors), weights, 0.9),
    "NMAD": _nmad,
}
"""Scores from errors and rows of weights: mean error; mean absolute error; root mean square error; absolute error
within which 90 % of the area lies; 1.4826 times the median absolute deviation from the median."""
