"""Split conformal intervals for heights, conditional on the bin of the predicted height."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.bin_merging import merged_bins
from mtlaerial.calibration.cells import SIDE
from mtlaerial.calibration.height_scores import HeightScores, scale_of
from mtlaerial.calibration.quantile import LEVELS, hierarchical_quantile, units_needed
from mtlaerial.calibration.record import HeightCalibration, percent
from mtlaerial.calibration.variogram import VariogramSums, cell_side_note, correlation_length
from mtlaerial.config.height_bins import bin_names
from mtlaerial.errors import ConfigError


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
        Side of the calibration cells in metres: the least :attr:`CellGrid.side` of the tiles.
    residuals : VariogramSums, optional
        Of the residuals, by which the side is checked.

    Notes
    -----
    Mondrian split conformal prediction: a quantile per bin of the predicted height, with
    :func:`mtlaerial.calibration.quantile.hierarchical_quantile` over those cells that have pixels in it. A bin with too
    few cells for the highest level is merged with a neighbour, and a note says so.

    What holds: a pixel of a bin, drawn at random from a new cell that is exchangeable with those of the calibration, is
    within its interval with a probability of at least the level. Not guaranteed: coverage by *true* height, by class or
    at a single place; and coverage in another landscape, season or sensor than that of the calibration tiles, or after
    further training. Neighbouring cells that err together make coverage vary more from scene to scene.
    """
    occupied = scores.occupied
    number = len(occupied)
    ascending = sorted(set(levels))
    possible = tuple(level for level in ascending if units_needed(level) <= number)
    notes = [_too_few(level, number) for level in ascending if level not in possible]
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
    names = bin_names(edges)
    notes = []
    for part in parts:
        if len(part) > 1:
            numbers = [f"{names[index]} ({int(occupied[:, index].sum())} cells)" for index in part]
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
