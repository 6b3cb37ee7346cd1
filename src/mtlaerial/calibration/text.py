"""Calibration of a run as text for people."""

from mtlaerial.calibration.quantile import LEVELS, units_needed
from mtlaerial.calibration.record import (
    Calibration,
    ClassCalibration,
    ErrorScale,
    HeightCalibration,
    ObjectCalibration,
    percent,
)


def calibration_lines(calibration: Calibration) -> list[str]:
    """Return what a calibration was made on, its temperature and levels by task, and its notes."""
    lines = [f"{calibration.predictor}, on {_tiles_text(calibration)}"]
    lines += [f"{task}: {_class_text(part)}" for task, part in calibration.classes.items()]
    lines += [f"{task}: {_height_text(part)}" for task, part in calibration.heights.items()]
    lines += [f"objects, {name}: {_object_text(part)}" for name, part in calibration.objects.items()]
    return [*lines, *calibration.notes]


def calibration_sentences(calibration: Calibration) -> tuple[str, ...]:
    """Return sentences on a calibration that do not change from seed to seed, but where bins of heights are merged."""
    sides = [part.cell_side for part in calibration.heights.values()]
    cells = f", in cells of at least {min(sides):.3g} m" if sides else ""
    return (f"Calibrated on {_tiles_text(calibration)}{cells}.", *calibration.notes)


def _tiles_text(calibration: Calibration) -> str:
    number = len(calibration.tiles)
    return "1 validation tile" if number == 1 else f"{number} validation tiles"


def _class_text(part: ClassCalibration) -> str:
    change = f"{part.likelihood_before:.3g} to {part.likelihood_after:.3g} nats"
    return f"temperature {part.temperature:.3g}, by {part.cells} cells; negative log-likelihood {change}"


def _height_text(part: HeightCalibration) -> str:
    levels = ", ".join(map(percent, part.levels)) or "none"
    length = (
        "" if part.correlation_length is None else f", correlation length of errors {part.correlation_length:.0f} m"
    )
    return f"intervals of {levels}, {_scale_text(part.scale)}; cells of {part.cell_side:.3g} m{length}"


def _scale_text(scale: ErrorScale) -> str:
    if scale.kind == "none":
        return "of the height alone"
    return f"scaled by the deviation + {scale.offset:.2g} m (chosen on {scale.cells} further cells)"


def _object_text(part: ObjectCalibration) -> str:
    number = len(part.errors)
    objects = f"{number} validation object{'' if number == 1 else 's'} of at least {part.min_area:g} m²"
    possible = [percent(level) for level in LEVELS if units_needed(level) <= number]
    return f"{objects}, enough for intervals of {', '.join(possible) or 'no level'}"
