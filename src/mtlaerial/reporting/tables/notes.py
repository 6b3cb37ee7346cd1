"""Notes below a table."""

from collections.abc import Iterator, Sequence

from mtlaerial.reporting.tables.bold import RULE
from mtlaerial.reporting.tables.columns import Column
from mtlaerial.reporting.tables.consistency import VIOLATIONS, consistency_convention
from mtlaerial.reporting.tables.constant import CONSTANT
from mtlaerial.reporting.tables.ensembles import ensemble_notes
from mtlaerial.reporting.tables.ground_truth import (
    class_convention,
    coverage,
    different_tiles,
    left_out_convention,
    mixed_grids,
    protocol,
    set_convention,
    unscored_tasks,
)
from mtlaerial.reporting.tables.origins import finished_note, ground_notes, recipe_note
from mtlaerial.reporting.tables.panels import Note
from mtlaerial.reporting.tables.score_rows import JOINT, SETS
from mtlaerial.reporting.tables.values import MISSING, Values

CLASS_MEANS = ("AA", "mIoU", "F1", JOINT)
DEFINITIONS = {
    "F1-HE1": "F1-HE: F1 of objects, cells above 1 m in truth and in prediction; a hit has max(p / h, h / p) below the "
    "given ratio (Song et al. 2024, arXiv 2406.18151).",
    "PFA": "PFA: share of the cells at 1 m or below that are predicted above 1 m.",
    JOINT: "mIoU-3: mIoU in which a hit needs a height error below 1 m, too; on the labels' grid, with the height cell "
    "at the pixel's centre; without a true height the class alone decides (IEEE DFC2019, track 1).",
    "bias": "bias: predicted minus true height.",
}
"""Definitions of scores that are less known."""


def panel_notes(values: Values, methods: Sequence[str], columns: Sequence[Column], *first: str) -> tuple[Note, ...]:
    """Return the notes of a table of some methods and columns, after those of ``first`` that are not empty."""
    sentences = (
        *first,
        different_tiles(values.runs),
        unscored_tasks(values.runs),
        coverage(values.runs),
        *_masks(values, columns),
        *_definitions(values, columns),
        mixed_grids(values.runs),
        *_methods(values, methods),
        protocol(values.runs),
    )
    return (*(Note(sentence) for sentence in sentences if sentence), *values.citations.notes(columns))


def bold_rule(methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the rule for bold numbers; empty for a table without any, as of one method."""
    learned = [method for method in methods if method != CONSTANT]
    return RULE if len(learned) > 1 and any(column.ranked for column in columns) else ""


def missing(values: Values, methods: Sequence[str], columns: Sequence[Column]) -> str:
    """Return the explanation of dashes; empty if the table has none."""
    if all(values.has_score(method, column) for method in methods for column in columns):
        return ""
    return f"{MISSING} Not available: not learned by the method, or no truth for it in the test tiles."


def _masks(values: Values, columns: Sequence[Column]) -> Iterator[str]:
    masks = {column.mask for column in columns}
    label_masks = [mask for name, mask in values.runs[0].label_masks.items() if name in masks]
    if any(mask.eroded for mask in label_masks):
        yield "eroded: on ground truth without the pixels along class boundaries; else on all pixels with a class."
    if any(mask.without for mask in label_masks):
        yield left_out_convention(values.runs)
    if "positive" in masks:
        yield "h > 0: over cells with 0 < h < 9000 m; other height scores: over all valid cells."
    if "objects" in masks:
        yield "h > 1: over cells with 1 m < h < 9000 m; ratios of lower heights say little about objects."
    for unit in sorted({column.unit for column in columns if column.length} - {1.0}):
        yield f"({unit:g} m): the same errors in units of {unit:g} m, as publications give them that scale heights so."


def _definitions(values: Values, columns: Sequence[Column]) -> Iterator[str]:
    scores = {column.score for column in columns}
    if SETS in scores:
        yield set_convention(values.runs)
    if scores & set(CLASS_MEANS):
        yield class_convention(values.runs)
    if VIOLATIONS in scores:
        yield consistency_convention(values.runs)
    yield from (text for score, text in DEFINITIONS.items() if score in scores)


def _methods(values: Values, methods: Sequence[str]) -> Iterator[str]:
    yield from values.notes
    absent = [method for method in values.methods if method not in (*methods, CONSTANT)]
    if absent:
        yield f"Not available for {', '.join(absent)}."
    yield from ensemble_notes(values.runs, methods)
    yield from mark_notes(values, methods)
    if CONSTANT in methods:
        yield f"{CONSTANT}: the majority class and the median height of the training tiles, everywhere."


def mark_notes(values: Values, methods: Sequence[str]) -> Iterator[str]:
    """Yield the explanations of the marks of some methods, and where the rows of a data set come from."""
    for method in methods:
        if method in values.marks:
            mark = values.marks[method]
            yield f"({mark.letter}) {method} differs from most: {mark.difference}."
    yield from origin_notes(values)


def origin_notes(values: Values) -> Iterator[str]:
    """Yield where the rows of a data set come from."""
    yield from filter(None, (recipe_note(values.runs), finished_note(values.runs)))
    yield from ground_notes(values.runs)
