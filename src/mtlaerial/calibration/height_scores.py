"""Conformity scores of predicted heights: errors relative to the predictor's deviation, or in metres."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.record import Scale
from mtlaerial.calibration.unit_sample import UnitSample
from mtlaerial.errors import ConfigError

FLOOR = 0.05
"""Metres: least deviation that errors are divided by."""


class HeightScores:
    """Conformity scores |p - h| / s of the heights of calibration cells, gathered block by block.

    Parameters
    ----------
    edges : sequence of float
        Inner edges in metres of the bins of predicted height, ascending.
    scale : Scale
        Whether s is the predictor's deviation, or 1.
    floor : float
        Least s in metres, for deviations.
    seed : int
        Seed of the sample of each cell's pixels.
    """

    def __init__(self, edges: Sequence[float], scale: Scale, floor: float = FLOOR, seed: int = 0) -> None:
        self.edges, self.scale, self.floor = tuple(edges), scale, floor
        self.sample = UnitSample(seed=seed)
        self.bins = len(self.edges) + 1

    def add(
        self,
        cells: NDArray[np.int64],
        predicted: NDArray[np.float32],
        true: NDArray[np.float32],
        deviation: NDArray[np.float32] | None = None,
    ) -> None:
        """Add a block of pixels.

        Parameters
        ----------
        cells : array of int
            Calibration cell of each pixel, numbered over all tiles from 0.
        predicted, true : array of float32, metres
            Pixels without either (NaN), or without a finite deviation, are left out.
        deviation : array of float32, metres, optional
            Needed for the scale ``deviation``.
        """
        p, h = predicted.astype(np.float64), true.astype(np.float64)
        scale = scale_of(self.scale, self.floor, p, deviation)
        scores = abs(p - h) / scale
        # An infinite deviation would make any error a score of 0.
        valid = np.isfinite(scores) & np.isfinite(scale)
        groups = cells[valid] * self.bins + np.digitize(p[valid], self.edges)
        self.sample.add(groups, scores[valid])

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Whether a cell has pixels in a bin, shape (cells with any, bins)."""
        counts = self.sample.counts
        table = np.pad(counts, (0, -len(counts) % self.bins)).reshape(-1, self.bins) > 0
        occupied: NDArray[np.bool_] = table[table.any(axis=1)]
        return occupied


def scale_of(
    scale: Scale, floor: float, predicted: NDArray[np.floating], deviation: NDArray[np.floating] | None
) -> NDArray[np.float64]:
    """Return the divisor of errors: the deviation, at least the floor; or 1.

    Raises
    ------
    ConfigError
        When the deviation is needed, and there is none.
    """
    if scale == "none":
        return np.ones(predicted.shape)
    if deviation is None:
        expected = "a predictor that gives a standard deviation of heights"
        remedy = "Predict with the predictor that was calibrated, or calibrate this one."
        raise ConfigError("calibration", "intervals scaled by a deviation, and no deviation", expected, remedy)
    return np.maximum(deviation.astype(np.float64), floor)
