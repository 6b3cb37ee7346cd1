"""Tables of the scores of objects, beside published ones."""

from collections.abc import Sequence

import pandas as pd

from mtlaerial.objects.object_scores import ScoredObjects
from mtlaerial.reporting.tables.object_columns import ABSENT, DETECTION, HEIGHTS, ObjectColumn
from mtlaerial.reporting.tables.panel_files import Row, text_panel
from mtlaerial.reporting.tables.panels import Note, Panel
from mtlaerial.scoring.object_sums import SCORES

PUBLISHED: Row = (
    "GlobalMLBuildingFootprints, seven regions",
    "",
    "",
    "92.2-97.2",
    "70.9-85.9",
    ABSENT,
    "63.1-68.2",
    "5.7-10.3",
)
"""Lowest and highest of the regions in the README at commit 0b9bac9."""
PUBLISHED_NOTE = Note(
    "Published: lowest and highest of the evaluation sets of seven regions, with other buildings and truth. The "
    "least IoU of a match and the computation of the dominant angle are not stated there.",
    "https://github.com/microsoft/GlobalMLBuildingFootprints",
)
DEFINITIONS = (
    "Matches are one to one, with an IoU of at least 50 %. Rotation: angle between the minimum rotated rectangles, "
    "modulo 90°."
)


def object_panels(scored: ScoredObjects, source: str) -> list[Panel]:
    """Return the tables of detection over all objects and by size and height, and of heights.

    Parameters
    ----------
    scored : ScoredObjects
    source : str
        What was scored, for the captions.
    """
    groups = scored.groups
    detection = [(name, *(column.text([sums]) for column in DETECTION)) for name, sums in groups.items()]
    detection.insert(1, PUBLISHED)
    notes = [Note(DEFINITIONS), PUBLISHED_NOTE, *map(Note, scored.notes)]
    panels = [text_panel("objects", source, "objects", _header(DETECTION), detection, notes)]
    with_heights = {name: sums for name, sums in groups.items() if sums.heights}
    if with_heights:
        rows = [(name, *(column.text([sums]) for column in HEIGHTS)) for name, sums in with_heights.items()]
        panels.append(text_panel("heights", source, "heights of matched objects", _header(HEIGHTS), rows))
    return panels


def object_table(scored: ScoredObjects) -> pd.DataFrame:
    """Return the scores of all groups, a row each: fractions, degrees and metres."""
    names = ("predicted", "true", "heights", *SCORES)
    return pd.DataFrame(
        [{"objects": name, **{key: getattr(sums, key) for key in names}} for name, sums in scored.groups.items()]
    )


def _header(columns: Sequence[ObjectColumn]) -> Row:
    return ("objects", *(column.header for column in columns))
