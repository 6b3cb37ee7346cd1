"""Split conformal intervals for heights, conditional on the bin of the predicted height."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.bin_merging import merged_bins
from mtlaerial.calibration.cells import SIDE
from mtlaerial.calibration.error_scale import PLAIN, choose_scale, choosing_cells, divisors_of, require_deviation
from mtlaerial.calibration.height_errors import CellErrors, HeightErrors
from mtlaerial.calibration.quantile import LEVELS, hierarchical_quantile, units_needed
from mtlaerial.calibration.record import ErrorScale, HeightCalibration, percent
from mtlaerial.calibration.variogram import VariogramSums, cell_side_note, correlation_length
from mtlaerial.config.height_bins import bin_names
from mtlaerial.errors import ConfigError

NO_CHOICE = (
    "Intervals are of the height alone: too few calibration cells to choose on some how deviations scale them, and to "
    "calibrate on others. Add validation tiles."
)
NO_GAIN = (
    "Intervals are of the height alone: on the calibration cells that choose their scale, the deviation makes them "
    "hardly narrower."
)


def calibrate_heights(
    errors: HeightErrors, levels: Sequence[float] = LEVELS, side: float = SIDE, residuals: VariogramSums | None = None
) -> HeightCalibration:
    """Return the factors of intervals from the errors of calibration cells.

    Parameters
    ----------
    errors : HeightErrors
    levels : sequence of float
        Levels 1 - α. One that needs more cells than there are is left out, and a note says so.
    side : float
        Side of the calibration cells in metres: the least :attr:`CellGrid.side` of the tiles.
    residuals : VariogramSums, optional
        Of the residuals, by which the side is checked.

    Notes
    -----
    Mondrian split conformal prediction of the scores |error| / scale: a quantile per bin of the predicted height, with
    :func:`mtlaerial.calibration.quantile.hierarchical_quantile` over those cells that have pixels in it. A bin with too
    few cells for a level shares its factor at that level with a neighbour, and a note says so. No level has a smaller
    factor than the one below it: where a shared one would, it is the latter, which covers more than is asked for.

    Of a predictor with a deviation a quarter of the cells, drawn at random, chooses the scale
    (:func:`mtlaerial.calibration.error_scale.choose_scale`), and the others calibrate, so that the choice takes nothing
    from the guarantee. Where too few would remain, intervals are of the height alone, and all cells calibrate.

    What holds: a pixel of a bin, drawn at random from a new cell that is exchangeable with those of the calibration, is
    within its interval with a probability of at least the level. Not guaranteed: coverage by *true* height, by class or
    at a single place; and coverage in another landscape, season or sensor than that of the calibration tiles, or after
    further training. Neighbouring cells that err together make coverage vary more from scene to scene.
    """
    sampled = errors.sampled()
    number = len(sampled.cell_indices)
    ascending = sorted(set(levels))
    possible = tuple([level for level in ascending if units_needed(level) <= number])
    notes = [_too_few(level, number) for level in ascending if level not in possible]
    scale, calibrating, note = _scaled(sampled, possible)
    occupied = calibrating.occupied
    parts_of = {level: merged_bins(occupied, units_needed(level)) for level in possible}
    notes += [*_merged_texts(errors.edges, parts_of, occupied), note]
    length = correlation_length(residuals) if residuals else None
    notes.append(cell_side_note(residuals, side) if residuals else "")
    factors, units = _factors(calibrating, scale, parts_of)
    return HeightCalibration(
        scale=scale,
        edges=errors.edges,
        levels=possible,
        factors=tuple(map(tuple, factors.tolist())),
        units=tuple(map(tuple, units.tolist())),
        cell_side=side,
        correlation_length=length,
        notes=tuple(filter(None, notes)),
    )


def _scaled(errors: CellErrors, levels: Sequence[float]) -> tuple[ErrorScale, CellErrors, str]:
    """Return the scale, the pixels of the cells that calibrate, and a note on intervals of the height alone."""
    if not levels or not np.isfinite(errors.deviations).any():
        return PLAIN, errors, ""
    choosing = choosing_cells(errors.cell_indices, units_needed(levels[-1]))
    if not choosing.size:
        return PLAIN, errors, NO_CHOICE
    chosen = np.isin(errors.cells, choosing)
    scale = choose_scale(errors.part(chosen), levels[-1])
    return scale, errors.part(~chosen), NO_GAIN if scale.kind == "none" else ""


def _factors(
    errors: CellErrors, scale: ErrorScale, parts_of: Mapping[float, Sequence[Sequence[int]]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the factors, which no higher level falls below, and the cells behind each, of shape (bins, levels)."""
    scores, occupied = errors.errors / divisors_of(scale, errors.deviations), errors.occupied
    shape = errors.number_of_bins, len(parts_of)
    factors, units = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for column, (level, parts) in enumerate(parts_of.items()):
        for part in parts:
            inside = np.isin(errors.bins, part)
            quantile = hierarchical_quantile(scores[inside], errors.cells[inside], errors.masses[inside], [level])
            factors[part, column] = quantile[0]
            units[part, column] = occupied[:, part].any(axis=1).sum()
    return np.maximum.accumulate(factors, axis=1), units


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
    """Return lower and upper bound of heights in metres; NaN where there is no prediction.

    Where a predictor has no deviation, the width depends on the bin alone.

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
    require_deviation(calibration.scale, deviation)
    divisors = divisors_of(calibration.scale, predicted if deviation is None else deviation)
    half = (factors[np.digitize(predicted, calibration.edges)] * divisors).astype(np.float32)
    return predicted - half, predicted + half
