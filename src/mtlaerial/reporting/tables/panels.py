"""What a table is made of, whatever it is written as."""

from dataclasses import dataclass

import pandas as pd

NOTHING = "Not available: no method learns this, or the test tiles have no truth for it."


@dataclass(frozen=True)
class Cell:
    """Text of a table."""

    text: str
    bold: bool = False
    measured: bool = False
    """Whether it is a time or a memory, which another run of the same does not repeat."""


@dataclass(frozen=True)
class Note:
    """A sentence below a table, and the address it refers to."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """A table as it is shown: a header, and rows that begin with their name."""

    key: str
    """Unique, for references."""
    dataset: str
    title: str
    """The data set's."""
    subject: str
    details: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Note, ...]
    long: bool = False
    """Whether it may need several pages."""

    @property
    def caption(self) -> str:
        """All that must be known to read the table by itself."""
        return f"{self.title}: {self.subject}. {self.details}"


@dataclass(frozen=True)
class Document:
    """The tables of one file."""

    stem: str
    panels: tuple[Panel, ...]
    """Those with any value."""
    wide: pd.DataFrame
    """The same numbers and more, as they go into a CSV."""
    nothing: str = NOTHING
    """What is said where there is no panel."""
