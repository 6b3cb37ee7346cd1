"""Readings of uncertainty and of its coverage. These scores are not tested against chance, and the sentences say so."""

from collections.abc import Sequence

from mtlaerial.reporting.tables.columns import COVERAGE, Column
from mtlaerial.reporting.tables.groups import CLASS
from mtlaerial.reporting.tables.readings.scores import sentence, value_text
from mtlaerial.reporting.tables.values import Values
from mtlaerial.scoring.uncertainty import PREDICTED


def uncertainty_reading(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the lowest error of calibration, and how far the coverage of intervals is from their level."""
    phrases = []
    for column in columns:
        scored = [method for method in methods if values.has_score(method, column)]
        if column.score == "ECE" and scored:
            best = min(scored, key=lambda method: values(method, column)[0])
            phrases.append(f"the lowest calibration error has {best} ({value_text(values, best, column)}, not tested)")
        elif column.score.startswith(COVERAGE) and scored:
            phrases.append(_coverage(values, scored, column))
    text = sentence(phrases[:2])
    return text[:1].upper() + text[1:]


def coverage_reading(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the group of cells that intervals cover least."""
    places = [(method, column) for method in methods for column in columns if values.has_score(method, column)]
    if not places:
        return ""
    method, column = min(places, key=lambda place: values(*place)[0])
    group = column.group.removeprefix(PREDICTED).removeprefix(CLASS)
    return sentence([f"Least covered is {group}, by {method}: {value_text(values, method, column)} of its cells"])


def _coverage(values: Values, methods: Sequence[str], column: Column) -> str:
    shares = sorted(column.shown(values(method, column)[0]) for method in methods)
    level = column.score.removeprefix(COVERAGE)
    span = f"{shares[0]:.1f}" if shares[0] == shares[-1] else f"{shares[0]:.1f} to {shares[-1]:.1f}"
    return f"intervals of {level} cover {span} % of the cells"
