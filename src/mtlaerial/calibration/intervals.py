"""Split conformal intervals for heights, conditional on the bin of the predicted height."""

from collections.abc import Mapping, Sequence

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
    few cells for a level shares its factor at that level with a neighbour, and a note says so. No level has a smaller
    factor than the one below it: where a shared one would, it is the latter, which covers more than is asked for.

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
    parts_of = {level: merged_bins(occupied, units_needed(level)) for level in possible}
    notes += _merged_texts(scores.edges, parts_of, occupied)
    length = correlation_length(residuals) if residuals else None
    if residuals and (note := cell_side_note(residuals, side)):
        notes.append(note)
    shape = scores.bins, len(possible)
    factors, units = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for column, (level, parts) in enumerate(parts_of.items()):
        for part in parts:
            factors[part, column] = _factor(scores, part, level)
            units[part, column] = occupied[:, part].any(axis=1).sum()
    return HeightCalibration(
        scale=scores.scale,
        floor=scores.floor,
        edges=scores.edges,
        levels=possible,
        factors=tuple(map(tuple, np.maximum.accumulate(factors, axis=1).tolist())),
        units=tuple(map(tuple, units.tolist())),
        cell_side=side,
        correlation_length=length,
        notes=tuple(notes),
    )


def _factor(scores: HeightScores, part: Sequence[int], level: float) -> float:
    """Return the quantile over the cells of a merged bin."""
    units, bins = np.divmod(scores.sample.groups, scores.bins)
    chosen = np.isin(bins, part)
    values, masses = scores.sample.values[chosen], scores.sample.masses[chosen]
    return float(hierarchical_quantile(values, units[chosen], masses, [level])[0])


def left_out_note(calibration: HeightCalibration, level: float) -> str:
    """Return the note that says why a calibration has no intervals of a level; empty where it was not asked for."""
    return next((note for note in calibration.notes if note.startswith(_beginning(level))), "")


def _too_few(level: float, number: int) -> str:
    needed = f"{number} calibration cells; at least {units_needed(level)} needed"
    return f"{_beginning(level)} {needed}. Add validation tiles, or lower the level."


def _beginning(level: float) -> str:
    return f"No {percent(level)} intervals:"


def _merged_texts(
    edges: Sequence[float], parts_of: Mapping[float, Sequence[Sequence[int]]], occupied: NDArray[np.bool_]
) -> list[str]:
    """Return a sentence per merged bin: which bins it is of, how many cells each had, and at which levels."""
    names = bin_names(edges)
    levels_of: dict[tuple[int, ...], list[float]] = {}
    for level, parts in parts_of.items():
        for part in parts:
            if len(part) > 1:
                levels_of.setdefault(tuple(part), []).append(level)
    notes = []
    for merged, levels in levels_of.items():
        numbers = [f"{names[index]} ({int(occupied[:, index].sum())} cells)" for index in merged]
        needed = [f"{percent(level)} (at least {units_needed(level)})" for level in levels]
        notes.append(f"Predicted heights {', '.join(numbers)} share one factor at {', '.join(needed)}.")
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
