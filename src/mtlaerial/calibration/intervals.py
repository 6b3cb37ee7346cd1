"""Split conformal intervals for heights, conditional on the bin of the predicted height."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.bin_merging import merged_bins
from mtlaerial.calibration.cells import SIDE
from mtlaerial.calibration.quantile import LEVELS, hierarchical_quantile, units_needed
from mtlaerial.calibration.record import HeightCalibration, Scale, bin_text, percent
from mtlaerial.calibration.unit_sample import UnitSample
from mtlaerial.calibration.variogram import VariogramSums, cell_side_note, correlation_length
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
            Pixels without either (NaN), or without a deviation, are left out.
        deviation : array of float32, metres, optional
            Needed for the scale ``deviation``.
        """
        p, h = predicted.astype(np.float64), true.astype(np.float64)
        scores = abs(p - h) / scale_of(self.scale, self.floor, p, deviation)
        valid = np.isfinite(scores)
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


def calibrate_heights(
    scores: HeightScores, levels: Sequence[float] = LEVELS, side: float = SIDE, residuals: VariogramSums | None = None
) -> HeightCalibration:
    """Return the factors of intervals from the scores of calibration cells.

    Parameters
    ----------
    scores : HeightScores
    levels : sequence of float
        Levels 1 - α. One that needs more cells than there are is left out, and a note says so.
    side : float
        Side of the calibration cells in metres.
    residuals : VariogramSums, optional
        Of the residuals, by which the side is checked.

    Notes
    -----
    Mondrian split conformal prediction: a quantile per bin of the predicted height, with
    :func:`mtlaerial.calibration.quantile.hierarchical_quantile` over those cells that have pixels in it. A bin with too
    few cells for the highest level is merged with a neighbour, and a note says so.

    What holds: a pixel of a bin, drawn at random from a new cell that is exchangeable with those of the calibration, is
    within its interval with a probability of at least the level. Not guaranteed: coverage by *true* height, by class or
    at a single place; coverage in another landscape, season or sensor than that of the calibration tiles, or after
    further training; and independence of neighbouring cells, whose lack makes coverage vary more from scene to scene.
    """
    occupied = scores.occupied
    number = len(occupied)
    possible = tuple(sorted(level for level in levels if units_needed(level) <= number))
    notes = [_too_few(level, number) for level in sorted(set(levels) - set(possible))]
    needed = units_needed(possible[-1]) if possible else 0
    parts = merged_bins(occupied, needed)
    notes += _merged_texts(scores.edges, parts, occupied, needed)
    length = correlation_length(residuals) if residuals else None
    if residuals and (note := cell_side_note(residuals, side)):
        notes.append(note)
    factors = [_factors(scores, part, possible) for part in parts]
    return HeightCalibration(
        scale=scores.scale,
        floor=scores.floor,
        edges=tuple(scores.edges[part[-1]] for part in parts[:-1]),
        levels=possible,
        factors=tuple(factors),
        units=tuple(int(occupied[:, part].any(axis=1).sum()) for part in parts),
        cell_side=side,
        correlation_length=length,
        notes=tuple(notes),
    )


def _factors(scores: HeightScores, part: Sequence[int], levels: Sequence[float]) -> tuple[float, ...]:
    """Return the quantiles over the cells of a merged bin, by level."""
    if not levels:
        return ()
    units, bins = np.divmod(scores.sample.groups, scores.bins)
    chosen = np.isin(bins, part)
    masses = scores.sample.masses[chosen]
    return tuple(hierarchical_quantile(scores.sample.values[chosen], units[chosen], masses, levels).tolist())


def _too_few(level: float, number: int) -> str:
    remedy = "Add validation tiles, or lower the level."
    return f"No {percent(level)} intervals: {number} calibration cells; at least {units_needed(level)} needed. {remedy}"


def _merged_texts(
    edges: Sequence[float], parts: Sequence[Sequence[int]], occupied: NDArray[np.bool_], needed: int
) -> list[str]:
    """Return a sentence per merged bin: which bins it is of, and how many cells each had."""
    texts = [bin_text(low, high) for low, high in pairwise((-np.inf, *edges, np.inf))]
    notes = []
    for part in parts:
        if len(part) > 1:
            numbers = [f"{texts[index]} ({int(occupied[:, index].sum())} cells)" for index in part]
            notes.append(f"Predicted heights {', '.join(numbers)} share one factor: {needed} cells needed.")
    return notes


def height_interval(
    calibration: HeightCalibration,
    level: float,
    predicted: NDArray[np.float32],
    deviation: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return lower and upper bound of heights in metres; NaN where there is no prediction or no deviation.

    Parameters
    ----------
    calibration : HeightCalibration
    level : float
        One of the calibrated levels.
    predicted, deviation : array of float32, metres

    Raises
    ------
    ConfigError
        When the level is not calibrated, or the deviation is missing.
    """
    if level not in calibration.levels:
        calibrated = ", ".join(map(percent, calibration.levels))
        expected = f"one of {calibrated}" if calibrated else "a calibrated level, of which there is none"
        remedy = " ".join(calibration.notes) or "Choose another level."
        raise ConfigError("calibration", f"no {percent(level)} intervals", expected, remedy)
    factors = np.array([row[calibration.levels.index(level)] for row in calibration.factors])
    scale = scale_of(calibration.scale, calibration.floor, predicted, deviation)
    half = (factors[np.digitize(predicted, calibration.edges)] * scale).astype(np.float32)
    return predicted - half, predicted + half
