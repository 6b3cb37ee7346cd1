"""Parts of a table, independent of its file format."""

from dataclasses import dataclass

import pandas as pd

NOTHING = "Not available: no method learns this, or the test tiles have no truth for it."


@dataclass(frozen=True)
class Cell:
    """Cell of a table."""

    text: str
    bold: bool = False
    measured: bool = False
    """Whether the value is a measured time or memory, which differs from run to run."""


@dataclass(frozen=True)
class Note:
    """A sentence below a table, and its link."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """A table: a header, and rows that begin with their name."""

    key: str
    """Unique key for references."""
    dataset: str
    title: str
    """Title of the data set."""
    subject: str
    details: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Note, ...]
    long: bool = False
    """Whether it may need several pages."""
    transposed: bool = False
    """Whether a row is a score, and a column a method: the numbers of a column have several units."""
    reading: str = ""
    """Sentence on what the numbers say, for the report; empty where they say nothing by themselves."""

    @property
    def caption(self) -> str:
        """Caption that makes the table readable by itself."""
        return f"{self.title}: {self.subject}. {self.details}".rstrip()


@dataclass(frozen=True)
class Document:
    """The tables of one file."""

    stem: str
    panels: tuple[Panel, ...]
    """Panels with any value."""
    wide: pd.DataFrame
    """The same numbers and more, for a CSV file."""
    nothing: str = NOTHING
    """Sentence of a document without panels."""
