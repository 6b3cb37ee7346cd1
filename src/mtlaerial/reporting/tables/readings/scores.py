"""Reading of a table of scores: the best method of each task, and whether its lead is told from chance."""

from collections.abc import Sequence

from mtlaerial.reporting.inference.intervals import CONFIDENCE
from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.score_rows import JOINT
from mtlaerial.reporting.tables.values import Values

HEADLINES = ("mIoU", "MAE", JOINT)
"""Scores that a reading is of, where the table has them."""
MOST = 2
"""Scores that a sentence is about at most."""


def scores_reading(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the reading of a table of some methods and columns; empty where no method of the runs has a score."""
    phrases = (_phrase(values, methods, column) for column in headline_columns(columns))
    text = sentence(list(filter(None, phrases)))
    return f"B{text[1:]}" if text.startswith("best ") else text


def headline_columns(columns: Sequence[Column]) -> list[Column]:
    """Return the columns that a reading is about: those of the headline scores, else the first that are ranked."""
    ranked = [column for column in columns if column.ranked and column.unit_stated]
    named = [column for score in HEADLINES for column in ranked if column.score == score]
    first_of_score = {column.score: column for column in reversed(named)}
    headlines = [first_of_score[score] for score in HEADLINES if score in first_of_score]
    return (headlines or ranked)[:MOST]


def by_rank(values: Values, methods: Sequence[str], column: Column) -> list[str]:
    """Return the methods with a score, the best first, without the constant prediction."""
    sign = 1 if column.lower_is_better else -1
    scored = [method for method in methods if method != CONSTANT and values.has_score(method, column)]
    return sorted(scored, key=lambda method: sign * column.shown(values(method, column)[0]))


def value_text(values: Values, method: str, column: Column) -> str:
    """Return the mean of a score with its unit."""
    unit = " m" if column.length else "" if column.multiple else " %"
    return f"{column.text(values(method, column)[0])}{unit}"


def sentence(phrases: Sequence[str]) -> str:
    """Return phrases as one sentence; empty without any.

    >>> sentence(["one", "two"])
    'one; two.'
    """
    text = "; ".join(phrases)
    return f"{text}." if text else ""


def _phrase(values: Values, methods: Sequence[str], column: Column) -> str:
    name, ranked = column.header.partition(" (")[0], by_rank(values, methods, column)
    if not ranked:
        return ""
    best, *others = ranked
    first = f"best {name}: {best} ({value_text(values, best, column)})"
    if CONSTANT in methods and not _beats_constant(values, best, column):
        return f"{first}, no better than the constant prediction ({value_text(values, CONSTANT, column)})"
    if not others:
        return f"{name} of {best}, the only method that learns it: {value_text(values, best, column)}"
    runner_up = f"before {others[0]} ({value_text(values, others[0], column)})"
    return f"{first}, {runner_up}, {_certainty(values, best, others[0], column)}"


def _certainty(values: Values, best: str, runner_up: str, column: Column) -> str:
    """Return whether a lead is told from chance, or what is too few for a test."""
    if values.winner(column) == best:
        return f"with {100 * CONFIDENCE:g} % confidence"
    lead = values.bold.lead(best, runner_up, column)
    too_few = ["one seed"] * (lead.seeds == 1) + ["one test tile"] * (lead.tiles == 1)
    return f"nothing to test with {' and '.join(too_few)}" if too_few else "not told from chance"


def _beats_constant(values: Values, method: str, column: Column) -> bool:
    if not values.has_score(CONSTANT, column):
        return True
    best, constant = (column.shown(values(name, column)[0]) for name in (method, CONSTANT))
    return best < constant if column.lower_is_better else best > constant
