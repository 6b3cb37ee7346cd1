"""Published numbers on a data set: a row per source in our tables, and the protocols."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mtlaerial.config.published import PublishedSpec
from mtlaerial.reporting.tables.columns import HEIGHT, POSITIVE_RATIOS, SEMANTICS, Column
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.panels import Note
from mtlaerial.scoring.label_masks import LabelMask

Published = Mapping[str, Sequence[PublishedSpec]]
"""Published numbers by data set."""
LABELS = {"all": "full ground truth", "eroded": "eroded ground truth"}
HEIGHTS = {"all": "heights of all valid cells", "positive": "heights above 0 only"}
POOLINGS = {"pooled": "pooled over tiles", "tile mean": "mean of the tiles' scores"}
_SEMANTIC = tuple(column.score for column in SEMANTICS)
_LENGTHS = tuple(column.score for column in HEIGHT)
_RATIOS = tuple(column.score for column in POSITIVE_RATIOS)


class Citations:
    """Published entries on one data set, numbered in their order."""

    def __init__(self, entries: Sequence[PublishedSpec]) -> None:
        self.entries = dict(enumerate(entries, start=1))

    @property
    def left_out(self) -> list[tuple[str, ...]]:
        """The sets of classes that the numbers leave out, each once; none of them is empty."""
        masks = map(_label_mask, self.entries.values())
        return list(dict.fromkeys(mask.without for mask in masks if mask.without))

    def values(self, column: Column) -> dict[int, float]:
        """Return the numbers that belong to a column, by number of the entry.

        They are fractions or metres; lengths in the unit of the source where it does not state the unit. An entry with
        another unstated part of the protocol is shown beside our usual one, and its note says so.
        """
        values = {}
        for number, entry in self.entries.items():
            if column.score in entry.scores and _comparable(entry, column):
                metres = entry.error_unit or 1
                values[number] = entry.scores[column.score] * (metres if column.length else 1)
        return values

    def cited(self, columns: Iterable[Column]) -> list[int]:
        """Return the entries with numbers in some columns, in their order."""
        return sorted({number for column in columns for number in self.values(column)})

    def label(self, number: int) -> str:
        """Return the name of an entry's row, e.g. ``JointNet [1]``."""
        return f"{self.entries[number].name} [{number}]"

    def text(self, number: int, column: Column) -> str:
        """Return an entry's number as its source has it; empty without one."""
        value = self.values(column).get(number)
        return "" if value is None else f"{column.shown(value):g}".replace("-", "−")

    def source(self, number: int) -> str:
        """Return where an entry's numbers are from, and their protocol."""
        entry = self.entries[number]
        return f"{entry.name}: {entry.source} <{entry.url}> ({protocol(entry)})"

    def notes(self, columns: Sequence[Column]) -> Iterator[Note]:
        """Yield source and protocol of the numbers in some columns."""
        cited = self.cited(columns)
        if cited:
            marks = ", ".join(f"[{number}]" for number in cited)
            yield Note(f"{marks}: published by others, not run here; compare only where the protocols agree.")
        if not all(column.unit_stated for column in columns):
            yield Note("unit not stated: errors as their source prints them, in metres or not: not comparable.")
        for number in cited:
            entry = self.entries[number]
            remarks = ". ".join((protocol(entry), *(note.rstrip(".") for note in entry.notes)))
            yield Note(f"[{number}] {entry.name}: {entry.source.rstrip('.')}. {remarks}.", entry.url)


def protocol(entry: PublishedSpec) -> str:
    """Return the scoring protocol of published numbers as text, and the points that their source does not state."""
    parts: dict[str, str | None] = {"split": entry.split and f"split: {entry.split}"}
    parts["pooling"] = entry.pooling and POOLINGS[entry.pooling]
    if set(entry.scores) & set(_SEMANTIC):
        parts["class boundaries"] = entry.labels and LABELS[entry.labels]
        names = entry.without_classes
        parts["which classes"] = None if names is None else f"without {', '.join(names)}" if names else "all classes"
    if set(entry.scores) & set(_LENGTHS):
        parts["which heights"] = entry.heights and HEIGHTS[entry.heights]
        parts["unit of heights"] = _unit(entry.error_unit) if entry.error_unit else None
    stated = ", ".join(text for text in parts.values() if text)
    missing = ", ".join(part for part, text in parts.items() if not text)
    sentence = "; ".join(filter(None, (stated, missing and f"protocol not stated: {missing}")))
    return sentence[0].upper() + sentence[1:]


def _comparable(entry: PublishedSpec, column: Column) -> bool:
    """Return whether an entry was scored on the cells of a column, and can be converted to its unit."""
    if column.group != OVERALL:
        return False
    if column.score in _RATIOS:
        return column.mask == "positive"
    if column.score in _SEMANTIC:
        return column.mask == _label_mask(entry).name
    same_unit = not column.length or column.unit_stated == (entry.error_unit is not None)
    return column.mask == (entry.heights or "all") and same_unit


def _label_mask(entry: PublishedSpec) -> LabelMask:
    return LabelMask.of(entry.labels == "eroded", entry.without_classes or ())


def _unit(metres: float) -> str:
    return "heights in metres" if metres == 1 else f"heights in units of {metres:g} m"
