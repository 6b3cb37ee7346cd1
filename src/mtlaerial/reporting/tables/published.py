"""The numbers that others publish on a data set, where they fit the columns of our tables, and how they were made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mtlaerial.config.published import PublishedSpec
from mtlaerial.reporting.tables.collect import OVERALL, POOLED
from mtlaerial.reporting.tables.columns import HEIGHT, POSITIVE, SEMANTICS, Column
from mtlaerial.reporting.tables.panels import Note

Published = Mapping[str, Sequence[PublishedSpec]]
"""What is published, by data set."""
LABELS = {"all": "full ground truth", "eroded": "eroded ground truth"}
HEIGHTS = {"all": "heights of all valid cells", "positive": "heights above 0 only"}
POOLINGS = {"pooled": "pooled over tiles", "tile mean": "mean of the tiles' scores"}
_SEMANTIC = tuple(column.score for column in SEMANTICS)
_LENGTHS = tuple(column.score for column in HEIGHT)
_RATIOS = tuple(column.score for column in POSITIVE if not column.length)


class Citations:
    """Published entries of one data set, numbered in their order."""

    def __init__(self, entries: Sequence[PublishedSpec]) -> None:
        self.entries = dict(enumerate(entries, start=1))

    def values(self, column: Column, pooling: str | None = None) -> dict[int, float]:
        """Return the fractions or metres that belong to a column, by number of the entry.

        An entry that does not say how it was scored goes beside our usual protocol, and its note says so. With
        ``pooling``, only what goes beside scores pooled that way.
        """
        return {
            number: value * (entry.error_unit or 1 if column.length else 1)
            for number, entry in self.entries.items()
            for score, value in entry.scores.items()
            if score == column.score and _beside(entry, column) and pooling in (None, entry.pooling or POOLED)
        }

    def text(self, column: Column) -> str:
        """Return what is published as it is shown, e.g. ``91.16 [1]``; several are separated by semicolons."""
        found = self.values(column).items()
        return "; ".join(f"{column.shown(value):g} [{number}]".replace("-", "−") for number, value in found)

    def notes(self, columns: Iterable[Column]) -> Iterator[Note]:
        """Yield where the numbers in some columns are from, and by which protocol."""
        cited = sorted({number for column in columns for number in self.values(column)})
        if cited:
            yield Note("published: reported by others, not run here; compare only where the protocols agree.")
        for number in cited:
            entry = self.entries[number]
            remarks = ". ".join((protocol(entry), *(note.rstrip(".") for note in entry.notes)))
            yield Note(f"[{number}] {entry.name}: {entry.source.rstrip('.')}. {remarks}.", entry.url)


def protocol(entry: PublishedSpec) -> str:
    """Say how published numbers were scored, and what their source leaves open."""
    parts: dict[str, str | None] = {"split": entry.split and f"split: {entry.split}"}
    parts["pooling"] = entry.pooling and POOLINGS[entry.pooling]
    if set(entry.scores) & set(_SEMANTIC):
        parts["class boundaries"] = entry.labels and LABELS[entry.labels]
    if set(entry.scores) & set(_LENGTHS):
        parts["which heights"] = entry.heights and HEIGHTS[entry.heights]
        parts["unit of heights"] = _unit(entry.error_unit) if entry.error_unit else None
    stated = ", ".join(text for text in parts.values() if text)
    missing = ", ".join(part for part, text in parts.items() if not text)
    sentence = "; ".join(filter(None, (stated, missing and f"protocol not stated: {missing}")))
    return sentence[0].upper() + sentence[1:]


def _beside(entry: PublishedSpec, column: Column) -> bool:
    """Tell whether an entry was scored on the cells of a column, and can be shown in its unit."""
    if column.group != OVERALL:
        return False
    if column.score in _RATIOS:
        return True
    if column.score in _SEMANTIC:
        return column.mask == (entry.labels or "all")
    return column.mask == (entry.heights or "all") and (column.unit == 1 or entry.error_unit is not None)


def _unit(metres: float) -> str:
    return "heights in metres" if metres == 1 else f"heights in units of {metres:g} m"
