"""Tables of the accuracy of a map by check points."""

import math
from collections.abc import Iterator
from itertools import chain

import pandas as pd

from mtlaerial.accuracy.assess import Assessment
from mtlaerial.accuracy.estimators import Estimate
from mtlaerial.accuracy.height_errors import HeightErrors
from mtlaerial.calibration.record import percent
from mtlaerial.reporting.tables.panel_files import text_panel
from mtlaerial.reporting.tables.panels import Note, Panel

_SOURCE = Note("Estimators of Olofsson et al. 2014, eqs. 1-12.", "https://doi.org/10.1016/j.rse.2014.02.015")
_HECTARE = 1e4
_ABSENT = "–"


def accuracy_panels(assessment: Assessment, source: str) -> list[Panel]:
    """Return the tables of areas and accuracies, of the error matrix and, with surveyed points, of height errors."""
    panels = [_area_panel(assessment, source), _matrix_panel(assessment, source)]
    if assessment.heights:
        panels.append(_height_panel(assessment.heights, assessment.level, source))
    return panels


def _area_panel(assessment: Assessment, source: str) -> Panel:
    accuracy, level = assessment.accuracy, percent(assessment.level)
    lower, upper = accuracy.areas.interval(assessment.level)
    header = (
        *(
            "class",
            "points",
            "mapped area (ha)",
            "estimated area (ha)",
            "standard error (ha)",
            f"{level} interval (ha)",
        ),
        *("user's accuracy (%)", "producer's accuracy (%)"),
    )
    rows = [
        (
            name,
            str(accuracy.counts[index].sum()),
            _hectares(accuracy.mapped_areas[index]),
            _hectares(accuracy.areas.values[index]),
            _hectares(accuracy.areas.errors[index]),
            f"{_hectares(max(lower[index], 0.0))} to {_hectares(upper[index])}",
            _with_error(accuracy.users, index),
            _with_error(accuracy.producers, index),
        )
        for index, name in enumerate(assessment.names)
    ]
    notes = [_overall_note(accuracy.overall, assessment.level), _SOURCE, *map(Note, assessment.notes)]
    return text_panel("accuracy", source, "areas and accuracies, ± standard errors", header, rows, notes)


def _overall_note(overall: Estimate, level: float) -> Note:
    low, high = (100 * float(bound) for bound in overall.interval(level))
    text = f"{100 * float(overall.values):.1f} ± {100 * float(overall.errors):.1f} %"
    bounds = f"{percent(level)} interval {max(low, 0):.1f} to {min(high, 100):.1f} %"
    return Note(f"Overall accuracy {text} (± standard error), {bounds}.")


def _matrix_panel(assessment: Assessment, source: str) -> Panel:
    accuracy, names = assessment.accuracy, assessment.names
    rows = [
        (name, *(f"{100 * share:.2f} ({count})" for share, count in zip(shares, counts, strict=True)))
        for name, shares, counts in zip(names, accuracy.shares, accuracy.counts, strict=True)
    ]
    subject = "estimated shares of the area in per cent, and points in brackets"
    return text_panel("matrix", source, subject, ("map / reference", *names), rows)


def _height_panel(heights: HeightErrors, level: float, source: str) -> Panel:
    header = ("score", "metres", f"{percent(level)} interval (m)")
    rows = [
        (name, f"{value:.2f}", f"{heights.lower[name]:.2f} to {heights.upper[name]:.2f}")
        for name, value in heights.values.items()
    ]
    notes = [
        Note(
            f"{heights.points} surveyed points. LE90: absolute error within which 90 % of the area lies; NMAD: 1.4826 "
            "times the median absolute deviation. Intervals by bootstrap within the classes."
        )
    ]
    return text_panel("heights", source, "errors of heights, predicted minus surveyed", header, rows, notes)


def accuracy_table(assessment: Assessment) -> pd.DataFrame:
    """Return all estimates, a row each: areas in m², accuracies as fractions, height errors in metres."""
    accuracy = assessment.accuracy
    estimates = [
        _rows("area", "m2", assessment, accuracy.areas),
        _rows("user's accuracy", "1", assessment, accuracy.users),
        _rows("producer's accuracy", "1", assessment, accuracy.producers),
        iter([_overall_row(assessment)]),
        _height_rows(assessment.heights),
    ]
    columns = [
        "quantity",
        "class",
        "value",
        "standard_error",
        "lower",
        "upper",
        "level",
        "unit",
        "mapped_area",
        "points",
    ]
    table = pd.DataFrame(list(chain.from_iterable(estimates)), columns=columns)
    return table.assign(level=assessment.level)


def _rows(quantity: str, unit: str, assessment: Assessment, estimate: Estimate) -> Iterator[dict[str, object]]:
    lower, upper = estimate.interval(assessment.level)
    for index, name in enumerate(assessment.names):
        yield {
            "quantity": quantity,
            "class": name,
            "value": estimate.values[index],
            "standard_error": estimate.errors[index],
            "lower": lower[index],
            "upper": upper[index],
            "unit": unit,
            "mapped_area": assessment.accuracy.mapped_areas[index],
            "points": assessment.accuracy.counts[index].sum(),
        }


def _overall_row(assessment: Assessment) -> dict[str, object]:
    accuracy = assessment.accuracy
    lower, upper = accuracy.overall.interval(assessment.level)
    return {
        "quantity": "overall accuracy",
        "value": accuracy.overall.values,
        "standard_error": accuracy.overall.errors,
        "lower": lower,
        "upper": upper,
        "unit": "1",
        "mapped_area": accuracy.mapped_areas.sum(),
        "points": accuracy.counts.sum(),
    }


def _height_rows(heights: HeightErrors | None) -> Iterator[dict[str, object]]:
    if heights is None:
        return
    for name, value in heights.values.items():
        bounds = {"lower": heights.lower[name], "upper": heights.upper[name]}
        yield {"quantity": f"height {name}", "value": value, **bounds, "unit": "m", "points": heights.points}


def _with_error(estimate: Estimate, index: int) -> str:
    value, error = 100 * estimate.values[index], 100 * estimate.errors[index]
    return _ABSENT if math.isnan(value) else f"{value:.1f} ± {error:.1f}"


def _hectares(area: float) -> str:
    return f"{area / _HECTARE:.4g}" if area < _HECTARE * 1e4 else f"{area / _HECTARE:.0f}"
