"""Temperature of class probabilities, fitted by the likelihood of true classes."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.record import ClassCalibration
from mtlaerial.calibration.unit_sample import UnitSample

COLDEST, HOTTEST = 0.05, 20.0
"""Bounds of the temperature."""
SMALLEST = 1e-6
"""Least probability: one of 0 has no logarithm."""
Array = NDArray[np.float64]


class ClassMargins:
    """Differences of log-probabilities to that of the true class, for a sample of each calibration cell's pixels.

    Each cell counts alike, whatever the number of its pixels with a class above the sample's size.

    Parameters
    ----------
    seed : int
        Seed of the sample.
    """

    def __init__(self, seed: int = 0) -> None:
        self.sample = UnitSample(seed=seed)

    def add(self, cells: NDArray[np.int64], probabilities: NDArray[np.float32], true: NDArray[np.uint8]) -> None:
        """Add a block of pixels.

        Parameters
        ----------
        cells : array of int, shape (…)
            Calibration cell of each pixel, numbered over all tiles from 0.
        probabilities : array of float32, shape (classes, …)
            Probabilities or positive scores of the classes; they need not sum up to 1. Pixels with NaN are left out.
        true : array of uint8, shape (…)
            Classes; pixels with a code of no class are left out.
        """
        valid = (true < len(probabilities)) & np.isfinite(probabilities).all(axis=0)
        logarithms = np.log(np.maximum(probabilities[:, valid].astype(np.float64), SMALLEST)).T
        codes = true[valid].astype(np.int64)
        self.sample.add(cells[valid], logarithms - np.take_along_axis(logarithms, codes[:, None], axis=1))


def fit_temperature(margins: ClassMargins) -> ClassCalibration | None:
    """Return the temperature that maximises the likelihood of the true classes; None without any.

    Notes
    -----
    Temperature scaling (Guo et al. 2017, arXiv 1706.04599) of p ∝ exp(z / T) with z = log p. The mean negative
    log-likelihood is convex in 1 / T: its derivative increases, and has at most one root. No class changes its rank, so
    that the map of classes stays the same.
    """
    from scipy.optimize import brentq

    differences = margins.sample.values
    if not differences.size:
        return None
    low, high = 1 / HOTTEST, 1 / COLDEST
    if _slope(low, differences) >= 0:
        inverse = low
    elif _slope(high, differences) <= 0:
        inverse = high
    else:
        inverse = float(brentq(_slope, low, high, args=(differences,), xtol=1e-9))
    cells = int((margins.sample.counts > 0).sum())
    return ClassCalibration(
        temperature=1 / inverse,
        cells=cells,
        pixels=int(margins.sample.counts.sum()),
        likelihood_before=_negative_likelihood(1.0, differences),
        likelihood_after=_negative_likelihood(inverse, differences),
        notes=_notes(inverse, low, high),
    )


def with_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Return calibrated class probabilities, which sum up to 1; NaN where a probability is NaN.

    Parameters
    ----------
    probabilities : array of float32, shape (classes, …)
        Probabilities or positive scores of the classes.
    temperature : float

    Examples
    --------
    >>> with_temperature(np.array([0.8, 0.2], dtype=np.float32), 2.0).round(3).tolist()
    [0.6669999957084656, 0.3330000042915344]
    """
    scaled = np.log(np.maximum(probabilities, np.float32(SMALLEST))) * np.float32(1 / temperature)
    powers = np.exp(scaled - scaled.max(axis=0))
    calibrated: NDArray[np.float32] = powers / powers.sum(axis=0)
    return calibrated


def _negative_likelihood(inverse: float, differences: Array) -> float:
    """Return the mean of -log p(true class) at an inverse temperature."""
    scaled = inverse * differences
    highest = scaled.max(axis=1)
    return float((highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))).mean())


def _slope(inverse: float, differences: Array) -> float:
    """Return the derivative of :func:`_negative_likelihood` by the inverse temperature."""
    scaled = inverse * differences
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return float(((weights * differences).sum(axis=1) / weights.sum(axis=1)).mean())


def _notes(inverse: float, low: float, high: float) -> tuple[str, ...]:
    if inverse == low:
        return (f"Temperature at its upper bound, {HOTTEST:g}: the probabilities say nothing about the classes.",)
    if inverse == high:
        return (f"Temperature at its lower bound, {COLDEST:g}: hardly any calibration pixel is misclassified.",)
    return ()
