"""Divisor of height errors: the predictor's deviation plus an offset, chosen for narrow intervals."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.height_errors import CellErrors
from mtlaerial.calibration.quantile import hierarchical_quantile
from mtlaerial.calibration.record import ErrorScale
from mtlaerial.errors import ConfigError

OFFSETS = tuple([2.0**power for power in range(-6, 7)])
"""Candidates of the offset, in mean deviations."""
SHARE = 4
"""One of so many calibration cells is among those that choose the scale."""
LEAST = 4
"""Cells below which no scale is chosen."""
LEAST_GAIN = 0.01
"""Share by which intervals have to be narrower than those of the height alone for a scale to be chosen."""
PLAIN = ErrorScale(kind="none")


def choosing_cells(cells: NDArray[np.int64], needed: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the cells that choose the scale, drawn at random; none where there would be too few.

    Parameters
    ----------
    cells : array of int, shape (cells,)
    needed : int
        Cells that are to remain for the quantiles of the highest level.
    seed : int

    Examples
    --------
    >>> len(choosing_cells(np.arange(80), needed=19)), len(choosing_cells(np.arange(12), needed=9))
    (20, 0)
    """
    number = min(len(cells) // SHARE, len(cells) - needed)
    if number < LEAST:
        return cells[:0]
    return np.sort(np.random.default_rng(seed).permutation(cells)[:number])


def choose_scale(errors: CellErrors, level: float) -> ErrorScale:
    """Return the scale with the narrowest intervals of a level, on average over some cells.

    The candidates are the deviation plus an offset, of 1/64 to 64 mean deviations, and no scale at all.

    Parameters
    ----------
    errors : CellErrors
        Of cells whose errors enter no quantile of the intervals.
    level : float

    Notes
    -----
    The score |error| / (deviation + offset) is the normalised nonconformity score with a sensitivity parameter
    (Papadopoulos, Vovk and Gammerman 2011, arXiv 1401.3880); without the offset it is that of locally weighted
    conformal prediction (Lei et al. 2018, arXiv 1604.04173). The larger the offset, the less do widths differ within a
    bin. The choice by the mean width, on cells apart, is that of validity first conformal prediction (Yang and
    Kuchibhotla 2021, arXiv 2104.13871): whatever is chosen, the guarantee of the intervals stays.
    """
    with_deviation = np.isfinite(errors.deviations)
    mean_deviation = _mean(errors, errors.deviations, with_deviation)
    if not mean_deviation > 0:
        return PLAIN
    ratio = _mean(errors, errors.errors, ~with_deviation) / max(
        _mean(errors, errors.errors, with_deviation), np.finfo(float).tiny
    )
    # Pixels without a deviation that err more are scaled by as much. A ratio below 1, of a few flat pixels, would make
    # those with a large error decide the quantile of all.
    ratio = max(1.0, ratio) if np.isfinite(ratio) else 1.0
    number, scales = len(errors.cell_indices), []
    for multiple in OFFSETS:
        offset = multiple * mean_deviation
        unknown = ratio * (mean_deviation + offset)
        scales.append(ErrorScale(kind="deviation", offset=offset, unknown=unknown, cells=number))
    widths = [mean_width(errors, scale, level) for scale in scales]
    narrowest = int(np.argmin(widths))
    enough = widths[narrowest] <= (1 - LEAST_GAIN) * mean_width(errors, PLAIN, level)
    return scales[narrowest] if enough else PLAIN


def mean_width(errors: CellErrors, scale: ErrorScale, level: float) -> float:
    """Return the mean width in metres of intervals that contain a share of the errors in each bin, all cells alike."""
    divisors, weights, width = divisors_of(scale, errors.deviations), errors.weights, 0.0
    for index in np.unique(errors.bins):
        inside = errors.bins == index
        scores, units, masses = errors.errors[inside] / divisors[inside], errors.cells[inside], errors.masses[inside]
        number = len(np.unique(units))
        # The quantile of the cells alone: a further one is not needed for a comparison.
        (factor,) = hierarchical_quantile(scores, units, masses, [level * number / (number + 1)])
        width += 2 * factor * float((weights * divisors)[inside].sum())
    return width


def divisors_of(scale: ErrorScale, deviation: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the divisors of errors in metres; those of an infinite deviation are infinite."""
    if scale.kind == "none":
        return np.ones(deviation.shape)
    divisors = deviation.astype(np.float64) + scale.offset
    return np.where(np.isnan(divisors), scale.unknown, divisors)


def require_deviation(scale: ErrorScale, deviation: NDArray[np.floating] | None) -> None:
    """Refuse intervals of a predictor without the deviation that they are scaled by.

    Raises
    ------
    ConfigError
    """
    if scale.kind == "deviation" and deviation is None:
        expected = "a predictor that gives a standard deviation of heights"
        remedy = "Predict with the predictor that was calibrated, or calibrate this one."
        raise ConfigError("calibration", "intervals scaled by a deviation, and no deviation", expected, remedy)


def _mean(errors: CellErrors, values: NDArray[np.float64], pixels: NDArray[np.bool_]) -> float:
    """Return the mean over some pixels, in which cells count by their share of these; NaN without any."""
    weights = errors.weights[pixels]
    return float((weights * values[pixels]).sum() / weights.sum()) if weights.size else float("nan")
