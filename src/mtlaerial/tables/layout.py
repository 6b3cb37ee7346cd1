"""What the tables show: panels that fit a page, with captions and notes, and the same numbers as one wide table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from mtlaerial.metrics import MASKS
from mtlaerial.scores import Scores
from mtlaerial.tables.collect import CONSTANT, collect, summarise
from mtlaerial.tables.columns import GAINS, HEIGHT, POSITIVE, SEMANTICS, Column, by_group, class_f1
from mtlaerial.tables.values import MISSING, Values

WIDEST = 8
"""Columns of numbers that fit a page."""


@dataclass(frozen=True)
class Cell:
    """Text of a table."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Panel:
    """A table as it is shown: a header, and rows that begin with their name."""

    key: str
    """Unique, for references."""
    dataset: str
    """The data set's title."""
    subject: str
    details: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...]

    @property
    def caption(self) -> str:
        """All that must be known to read the table by itself."""
        return f"{self.dataset}: {self.subject}. {self.details}"


@dataclass(frozen=True)
class Document:
    """The tables of one file."""

    dataset: str
    stem: str
    panels: tuple[Panel, ...]
    """Those with any value."""
    wide: pd.DataFrame
    """A row per method; NaN for what is not available."""


def build_documents(scores: Sequence[Scores], summary: pd.DataFrame | None = None) -> tuple[Document, ...]:
    """Lay out the tables of all data sets.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order the tables shall have.
    summary : DataFrame, optional
        From :func:`mtlaerial.tables.summarise`, if it is there already.

    Returns
    -------
    tuple of Document
        Three per data set: the main one, heights by true height, heights by class.
    """
    summary = summarise(collect(scores)) if summary is None else summary
    documents: list[Document] = []
    for dataset in dict.fromkeys(run.dataset for run in scores):
        values = Values([run for run in scores if run.dataset == dataset], summary)
        documents += [
            _main(values),
            _heights(values, "by_height", "true height", values.bins),
            _heights(values, "height_by_class", "class", values.classes),
        ]
    return tuple(documents)


def _main(values: Values) -> Document:
    f1 = class_f1(values.runs[0].classes)
    gains = GAINS if any(values.known(method, GAINS[0]) for method in values.methods) else ()
    panels = (
        _panel(values, "main", "semantics, and height over all valid cells", SEMANTICS + HEIGHT + gains),
        _panel(values, "f1", "F1 of each class", f1),
        _panel(values, "positive", "height over cells with 0 < h < 9000 m", POSITIVE),
    )
    columns = (*SEMANTICS, *f1, *HEIGHT, *POSITIVE, *GAINS)
    return Document(values.dataset, values.dataset, _present(panels), _wide(values, columns))


def _heights(values: Values, stem: str, by: str, groups: Sequence[str]) -> Document:
    panels = (
        _panel(values, f"{stem}-{score}".lower(), f"{score} of height in metres by {by}, over all valid cells",
               by_group(groups, score), values.shares(groups))
        for score in ("MAE", "RMSE")
    )  # fmt: skip
    prefixes = {"all": "", "positive": "h > 0, "}
    columns = [
        column
        for mask in MASKS
        for score in ("MAE", "RMSE")
        for column in by_group(groups, score, mask, f"{score} (m), {prefixes[mask]}")
    ]
    return Document(values.dataset, f"{values.dataset}_{stem}", _present(panels), _wide(values, columns))


def _present(panels: Iterable[Panel | None]) -> tuple[Panel, ...]:
    return tuple(panel for panel in panels if panel)


def _panel(values: Values, key: str, what: str, columns: Sequence[Column], note: str = "") -> Panel | None:
    """Return a table of some columns and the methods that have any of them; None where no method has."""
    methods = [method for method in values.methods if any(values.known(method, column) for column in columns)]
    if not methods:
        return None
    cells = [_cells(values, column, methods) for column in columns]
    headers, names = [column.header for column in columns], [values.label(method) for method in methods]
    if len(columns) > max(WIDEST, len(methods)):  # on its side
        header, rows = ["", *names], [[Cell(label), *row] for label, row in zip(headers, cells, strict=True)]
    else:
        header, rows = ["", *headers], [[Cell(name), *row] for name, *row in zip(names, *cells, strict=True)]
    details = (values.sampling(), "Bold: the best of each score.", values.gain() if GAINS[0] in columns else "")
    return Panel(
        key=f"{values.dataset}-{key}",
        dataset=values.title(),
        subject=what,
        details=" ".join(filter(None, details)),
        header=tuple(header),
        rows=tuple(map(tuple, rows)),
        notes=tuple(filter(None, (_missing(cells), *_about(values, methods), note))),
    )


def _cells(values: Values, column: Column, methods: Sequence[str]) -> list[Cell]:
    best = values.best(column)
    return [Cell(values.text(m, column), column.shown(values(m, column)[0]) == best) for m in methods]


def _missing(cells: Sequence[Sequence[Cell]]) -> str:
    if not any(cell.text == MISSING for row in cells for cell in row):
        return ""
    return f"{MISSING} Not available: not learned by the method, or no truth for it in the test tiles."


def _about(values: Values, methods: Sequence[str]) -> Iterator[str]:
    others = [method for method in values.methods if method not in (*methods, CONSTANT)]
    if others:
        yield f"Not available for {', '.join(others)}."
    if CONSTANT in methods:
        yield f"{CONSTANT}: the majority class and the median height of the training tiles, everywhere."


def _wide(values: Values, columns: Sequence[Column]) -> pd.DataFrame:
    wide: dict[str, list[object]] = {"method": list(values.methods), "seeds": list(values.seeds.values())}
    for column in columns:
        found = [values(method, column) for method in values.methods]
        wide[column.header] = [column.shown(mean) for mean, _, _ in found]
        wide[f"{column.header} std"] = [column.shown(std) for _, std, _ in found]
    return pd.DataFrame(wide)
