"""Tables of the scores of objects, beside published ones."""

import math
from collections.abc import Mapping

import pandas as pd

from mtlaerial.objects.object_scores import ObjectScores, ScoredObjects
from mtlaerial.reporting.tables.panel_files import Row, text_panel
from mtlaerial.reporting.tables.panels import Note, Panel

_ABSENT = "–"
_FOOTPRINTS = "GlobalMLBuildingFootprints, seven regions"
_PUBLISHED: Row = (_FOOTPRINTS, "", "", "92.2-97.2", "70.9-85.9", _ABSENT, "63.1-68.2", "5.7-10.3")
"""Lowest and highest of the regions in the README at commit 0b9bac9."""
_PUBLISHED_NOTE = Note(
    "Published: lowest and highest of the evaluation sets of seven regions, with other buildings and truth. The "
    "least IoU of a match and the computation of the dominant angle are not stated there.",
    "https://github.com/microsoft/GlobalMLBuildingFootprints",
)
_DEFINITIONS = Note(
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
    rows = _groups(scored)
    header = ("objects", "predicted", "true", "precision (%)", "recall (%)", "F1 (%)", "mean IoU (%)", "rotation (°)")
    detection = [_detection_row(name, scores) for name, scores in rows.items()]
    notes = [_DEFINITIONS, _PUBLISHED_NOTE, *map(Note, scored.notes)]
    detection.insert(1, _PUBLISHED)
    panels = [text_panel("objects", source, "objects", header, detection, notes)]
    heights = [_height_row(name, scores) for name, scores in rows.items() if scores.heights]
    if heights:
        columns = ("objects", "matched with heights", "bias (m)", "MAE (m)", "in the interval (%)")
        panels.append(text_panel("heights", source, "heights of matched objects", columns, heights))
    return panels


def object_table(scored: ScoredObjects) -> pd.DataFrame:
    """Return the scores of all groups, a row each: fractions, degrees and metres."""
    return pd.DataFrame([{"objects": name, **scores._asdict()} for name, scores in _groups(scored).items()])


def _groups(scored: ScoredObjects) -> Mapping[str, ObjectScores]:
    """Return the scores of all objects and of the groups that have any."""
    groups = {"all": scored.overall, **scored.by_size, **scored.by_height}
    return {name: scores for name, scores in groups.items() if name == "all" or scores.predicted or scores.true}


def _detection_row(name: str, scores: ObjectScores) -> Row:
    shares = (scores.precision, scores.recall, scores.f1, scores.iou)
    numbers = (str(scores.predicted), str(scores.true))
    return (name, *numbers, *(_text(100 * share, 1) for share in shares), _text(scores.rotation, 1))


def _height_row(name: str, scores: ObjectScores) -> Row:
    errors = (_text(scores.bias, 2), _text(scores.mae, 2))
    return (name, str(scores.heights), *errors, _text(100 * scores.covered, 1))


def _text(value: float, digits: int) -> str:
    return _ABSENT if math.isnan(value) else f"{value:.{digits}f}"
