"""Table of every score of every data set, beside published numbers."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mtlaerial.reporting.tables.collect import POOLED, TILE_MEAN
from mtlaerial.reporting.tables.columns import (
    BIAS,
    BOTH,
    CHECKERBOARDS,
    CONSISTENCY,
    DETECTION,
    ERODED,
    GAINS,
    HEIGHT,
    POSITIVE,
    POSITIVE_RATIOS,
    RATIOS,
    SEMANTICS,
    UNCERTAINTY,
    Column,
    in_unit,
    named_after,
    of_intervals,
    of_sets,
    of_task,
    unit_not_stated,
    violations_by_class,
    without_classes,
)
from mtlaerial.reporting.tables.notes import panel_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Panel
from mtlaerial.reporting.tables.score_rows import CELLS, SEAM
from mtlaerial.reporting.tables.uncertainty import levels_of
from mtlaerial.reporting.tables.values import MISSING, Values

EVERYTHING = "everything"
NOT_STATED = "not stated"
"""Unit or pooling of published numbers that their source does not state."""
HEADER = ("score", "method", POOLED, TILE_MEAN, "n", "published")
BIASES = (*BIAS, Column("bias, h > 0 (m)", "bias", "positive"))


def everything(every: Sequence[Values], summary: pd.DataFrame) -> Document:
    """Lay out every score.

    Parameters
    ----------
    every : sequence of Values
        One per data set.
    summary : DataFrame
        From :func:`mtlaerial.reporting.tables.mean_over_seeds`.

    Returns
    -------
    Document
        One panel per data set, with the scores over all cells and classes. ``wide`` is the summary with the columns
        ``unit`` (``fraction``, ``ratio``, ``m``, the data set's other unit of heights, ``cells``, or ``not stated``),
        ``published`` and ``source``. Published numbers are rows of their own, one per source, score and unit.
    """
    by_dataset = {values.dataset: values for values in every}
    rows = [row for entry in summary.itertuples(index=False) for row in _rows(entry, by_dataset[str(entry.dataset)])]
    rows += [row for values in every for row in _published_rows(values)]
    wide = pd.DataFrame(rows, columns=[*summary.columns[:-3], "unit", *summary.columns[-3:], "published", "source"])
    return Document(EVERYTHING, tuple(_panel(values) for values in every), wide)


def _rows(entry: Any, values: Values) -> Iterator[tuple[object, ...]]:
    """Yield a row of the summary in each unit."""
    column = Column("", entry.score, entry.mask, entry.group)
    for shown in (column, *in_unit([column], values.unit)):
        mean, std = entry.mean / shown.unit, entry.std / shown.unit
        yield *entry[:-3], _unit(shown), mean, std, entry.n, "", ""


def _published_rows(values: Values) -> Iterator[tuple[object, ...]]:
    """Yield a row of each published number in each unit."""
    citations = values.citations
    for column in _candidates(values):
        for number, value in citations.values(column).items():
            pooling = citations.entries[number].pooling or NOT_STATED
            place = (values.dataset, citations.label(number), pooling, column.mask, column.group, column.score)
            shown = float(f"{value / column.unit:.9g}") if column.length else value
            yield *place, _unit(column), math.nan, math.nan, "", shown, citations.source(number)


def _unit(column: Column) -> str:
    if not column.unit_stated:
        return NOT_STATED
    if column.length:
        return "m" if column.unit == 1 else f"{column.unit:g} m"
    if column.multiple:
        return "ratio"
    return CELLS if column.score == CELLS else "fraction"


def _candidates(values: Values) -> tuple[Column, ...]:
    """Return all columns over all classes and heights."""
    height = (*HEIGHT, *POSITIVE)
    lengths = (*height, *BIASES, *in_unit(height, values.unit), *unit_not_stated(height))
    of_classes = (*SEMANTICS, *ERODED, *BOTH)
    sets = of_sets(values.class_sets)
    semantics = (*of_classes, *sets, *without_classes(of_classes, values.left_out))
    seams = (Column(f"step at borders of windows / elsewhere, {task} (%)", SEAM + task) for task in values.tasks)
    further = (column for task in values.further_tasks for column in of_task(task))
    grids = (column for task in values.further_tasks for column in named_after(task, CHECKERBOARDS))
    ratios = (*RATIOS, *POSITIVE_RATIOS, *DETECTION)
    rules = (*CONSISTENCY, *violations_by_class(values.runs[0].classes))
    uncertainty = (*UNCERTAINTY, *of_intervals(levels_of(values.runs)))
    return (*semantics, *lengths, *ratios, *further, *GAINS, *rules, *uncertainty, *seams, *CHECKERBOARDS, *grids)


def _panel(values: Values) -> Panel:
    columns, rows = [], []
    for column in _candidates(values):
        methods = [method for method in values.methods if values.has_score(method, column)]
        sources = values.citations.cited([column])
        rows += [_row(values, method, column) for method in methods]
        rows += [_published_row(values, number, column) for number in sources]
        if methods or sources:
            columns.append(column)
    return Panel(
        key=f"{values.dataset}-{EVERYTHING}",
        dataset=values.dataset,
        title=values.title(),
        subject="every score over all classes and heights",
        details=f"{values.sampling()} {TILE_MEAN}: scores of the tiles, averaged; class means over the tile's classes.",
        header=HEADER,
        rows=tuple(rows),
        notes=panel_notes(values, values.methods, columns, "By class and by height: everything.csv."),
        long=True,
        reading="To look numbers up: the tables before this one say which differences are told from chance.",
    )


def _row(values: Values, method: str, column: Column) -> tuple[Cell, ...]:
    # Delta-m has no mean over tiles; that field is empty, not a dash.
    pooled, averaged = (values.text(method, column, pooling).replace(MISSING, "") for pooling in (POOLED, TILE_MEAN))
    n = str(values(method, column)[2])
    return tuple(map(Cell, (column.header, method, pooled, averaged, n, "")))


def _published_row(values: Values, number: int, column: Column) -> tuple[Cell, ...]:
    texts = (column.header, values.citations.label(number), "", "", "", values.citations.text(number, column))
    return tuple(map(Cell, texts))
