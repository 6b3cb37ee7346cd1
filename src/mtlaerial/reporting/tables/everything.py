"""Every score of every data set in one table, beside what is published."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from mtlaerial.config import TASKS
from mtlaerial.reporting.tables.collect import CELLS, POOLED, SEAM, TILE_MEAN
from mtlaerial.reporting.tables.columns import ERODED, GAINS, HEIGHT, POSITIVE, SEMANTICS, Column, in_unit
from mtlaerial.reporting.tables.notes import notes
from mtlaerial.reporting.tables.panels import Cell, Document, Panel
from mtlaerial.reporting.tables.published import protocol
from mtlaerial.reporting.tables.values import MISSING, Values

EVERYTHING = "everything"
HEADER = ("score", "method", POOLED, TILE_MEAN, "n", "published")
BIAS = (Column("bias (m)", "bias"), Column("bias, h > 0 (m)", "bias", "positive"))
SEAMS = tuple(Column(f"step at borders of windows / elsewhere, {task} (%)", SEAM + task) for task in TASKS)


def everything(every: Sequence[Values], summary: pd.DataFrame) -> Document:
    """Lay out every score.

    Parameters
    ----------
    every : sequence of Values
        One per data set.
    summary : DataFrame
        From :func:`mtlaerial.reporting.tables.summarise`.

    Returns
    -------
    Document
        Its panels, one per data set, show the scores over all cells and classes; its ``wide`` is the summary with the
        columns ``unit`` (``fraction``, ``m``, the data set's other unit of heights, or ``cells``), ``published`` and
        ``source``, which are empty where nothing is published on those cells and pooled that way.
    """
    by_dataset = {values.dataset: values for values in every}
    rows = [row for entry in summary.itertuples(index=False) for row in _rows(entry, by_dataset[str(entry.dataset)])]
    wide = pd.DataFrame(rows, columns=[*summary.columns[:-3], "unit", *summary.columns[-3:], "published", "source"])
    return Document(EVERYTHING, tuple(_panel(values) for values in every), wide)


def _rows(entry: Any, values: Values) -> Iterator[tuple[object, ...]]:
    """Yield a row of the summary in each unit, with what is published beside it."""
    column = Column("", entry.score, entry.mask, entry.group)
    for shown in (column, *in_unit([column], values.unit)):
        found = values.citations.values(shown, entry.pooling)
        published = "; ".join(f"{value / shown.unit:.9g}" for value in found.values())
        sources = (values.citations.entries[number] for number in found)
        source = "; ".join(f"{other.name}: {other.source} <{other.url}> ({protocol(other)})" for other in sources)
        key, (mean, std) = entry[:-3], (value / shown.unit for value in entry[-3:-1])
        yield *key, _unit(shown), mean, std, entry.n, published, source


def _unit(column: Column) -> str:
    if column.length:
        return "m" if column.unit == 1 else f"{column.unit:g} m"
    return CELLS if column.score == CELLS else "fraction"


def _panel(values: Values) -> Panel:
    height = (*HEIGHT, *POSITIVE)
    columns = [
        column
        for column in (*SEMANTICS, *ERODED, *height, *BIAS, *in_unit(height, values.unit), *GAINS, *SEAMS)
        if any(values.known(method, column) for method in values.methods)
    ]
    rows = [
        _line(values, method, column) for column in columns for method in values.methods if values.known(method, column)
    ]
    return Panel(
        key=f"{values.dataset}-{EVERYTHING}",
        dataset=values.dataset,
        title=values.title(),
        subject="every score over all classes and heights",
        details=f"{values.sampling()} {TILE_MEAN}: scores of the tiles, averaged.",
        header=HEADER,
        rows=tuple(rows),
        notes=notes(values, values.methods, columns, "By class and by height: everything.csv."),
        long=True,
    )


def _line(values: Values, method: str, column: Column) -> tuple[Cell, ...]:
    # Of the gain over other methods there is no mean over tiles.
    pooled, averaged = (values.text(method, column, pooling).replace(MISSING, "") for pooling in (POOLED, TILE_MEAN))
    n = str(values(method, column)[2])
    return tuple(map(Cell, (column.header, method, pooled, averaged, n, values.citations.text(column))))
