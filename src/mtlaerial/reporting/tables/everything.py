"""Table of every score of every data set, beside published numbers."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mtlaerial.config import TASKS
from mtlaerial.reporting.tables.collect import CELLS, POOLED, SEAM, TILE_MEAN
from mtlaerial.reporting.tables.columns import (
    BIAS,
    BOTH,
    DETECTION,
    ERODED,
    GAINS,
    HEIGHT,
    PAPER_RATIOS,
    POSITIVE,
    RATIOS,
    SEMANTICS,
    Column,
    in_unit,
    without_classes,
)
from mtlaerial.reporting.tables.notes import panel_notes
from mtlaerial.reporting.tables.panels import Cell, Document, Panel
from mtlaerial.reporting.tables.published import protocol
from mtlaerial.reporting.tables.values import MISSING, Values

EVERYTHING = "everything"
HEADER = ("score", "method", POOLED, TILE_MEAN, "n", "published")
BIASES = (*BIAS, Column("bias, h > 0 (m)", "bias", "positive"))
SEAMS = tuple(Column(f"step at borders of windows / elsewhere, {task} (%)", SEAM + task) for task in TASKS)


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
        ``unit`` (``fraction``, ``m``, the data set's other unit of heights, or ``cells``), ``published`` and
        ``source``; the last two are empty if nothing is published on those cells and with that pooling.
    """
    by_dataset = {values.dataset: values for values in every}
    rows = [row for entry in summary.itertuples(index=False) for row in _rows(entry, by_dataset[str(entry.dataset)])]
    wide = pd.DataFrame(rows, columns=[*summary.columns[:-3], "unit", *summary.columns[-3:], "published", "source"])
    return Document(EVERYTHING, tuple(_panel(values) for values in every), wide)


def _rows(entry: Any, values: Values) -> Iterator[tuple[object, ...]]:
    """Yield a row of the summary in each unit, with published numbers and their sources."""
    column = Column("", entry.score, entry.mask, entry.group)
    for shown in (column, *in_unit([column], values.unit)):
        cited = values.citations.values(shown, entry.pooling)
        published = "; ".join(f"{value / shown.unit:.9g}" for value in cited.values())
        sources = [values.citations.entries[number] for number in cited]
        source = "; ".join(f"{spec.name}: {spec.source} <{spec.url}> ({protocol(spec)})" for spec in sources)
        mean, std = entry.mean / shown.unit, entry.std / shown.unit
        yield *entry[:-3], _unit(shown), mean, std, entry.n, published, source


def _unit(column: Column) -> str:
    if column.length:
        return "m" if column.unit == 1 else f"{column.unit:g} m"
    return CELLS if column.score == CELLS else "fraction"


def _panel(values: Values) -> Panel:
    height = (*HEIGHT, *POSITIVE)
    lengths = (*height, *BIASES, *in_unit(height, values.unit))
    of_classes = (*SEMANTICS, *ERODED, *BOTH)
    semantics = (*of_classes, *without_classes(of_classes, values.left_out))
    candidates = (*semantics, *lengths, *RATIOS, *PAPER_RATIOS, *DETECTION, *GAINS, *SEAMS)
    columns, rows = [], []
    for column in candidates:
        methods = [method for method in values.methods if values.has_score(method, column)]
        rows += [_row(values, method, column) for method in methods]
        if methods:
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
    )


def _row(values: Values, method: str, column: Column) -> tuple[Cell, ...]:
    # Delta-m has no mean over tiles; that field is empty, not a dash.
    pooled, averaged = (values.text(method, column, pooling).replace(MISSING, "") for pooling in (POOLED, TILE_MEAN))
    n = str(values(method, column)[2])
    return tuple(map(Cell, (column.header, method, pooled, averaged, n, values.citations.text(column))))
