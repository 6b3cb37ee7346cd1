"""Notes below a table."""

from collections.abc import Iterator, Sequence

from mtlaerial.config.selection import truth_notes
from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.panels import Note
from mtlaerial.reporting.tables.values import MISSING, Values


def notes(values: Values, methods: Sequence[str], columns: Sequence[Column], *first: str) -> tuple[Note, ...]:
    """Return the notes of a table of some methods and columns, after those of ``first`` that are not empty."""
    sentences = (*first, values.coverage(), *_protocol(columns), *_methods(values, methods))
    return (*(Note(sentence) for sentence in sentences if sentence), *values.citations.notes(columns))


def missing(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the explanation of dashes; empty if the table has none."""
    if all(values.has_score(method, column) for method in methods for column in columns):
        return ""
    return f"{MISSING} Not available: not learned by the method, or no truth for it in the test tiles."


def _protocol(columns: Sequence[Column]) -> Iterator[str]:
    masks = {column.mask for column in columns}
    if "eroded" in masks:
        yield "eroded: on ground truth without the pixels along class boundaries; else on all pixels with a class."
    if masks >= {"all", "positive"}:
        yield "h > 0, and REL and δ: over cells with 0 < h < 9000 m; other height scores: over all valid cells."
    for unit in sorted({column.unit for column in columns if column.length} - {1.0}):
        yield f"({unit:g} m): the same errors in units of {unit:g} m, as publications give them that scale heights so."


def _methods(values: Values, methods: Sequence[str]) -> Iterator[str]:
    yield from truth_notes(values.lacking, values.methods, "this data set")
    absent = [method for method in values.methods if method not in (*methods, CONSTANT)]
    if absent:
        yield f"Not available for {', '.join(absent)}."
    if CONSTANT in methods:
        yield f"{CONSTANT}: the majority class and the median height of the training tiles, everywhere."
