"""Scores of a file of objects by a file of true ones."""

from pathlib import Path

from mtlaerial.errors import DataError
from mtlaerial.objects.object_scores import ScoredObjects, score_objects
from mtlaerial.objects.object_set import read_polygons, read_predicted


def score_files(
    objects: Path, truth: Path, height_column: str | None, class_name: str | None, within: Path | None
) -> ScoredObjects:
    """Score the objects of a file.

    Parameters
    ----------
    objects : Path
        Objects of maps, with the columns of :mod:`mtlaerial.objects.columns`.
    truth : Path
        True objects, in any CRS.
    height_column : str, optional
        Column of the true heights in metres.
    class_name : str, optional
        Class of ``objects`` that is scored; needed where there are several.
    within : Path, optional
        Polygons of the area that was mapped and has truth.

    Raises
    ------
    UserError
        When a file cannot be read, lacks a column or has no polygons.
    """
    predicted = read_predicted(objects, class_name)
    true = read_polygons(truth, height_column, predicted.crs)
    if not len(true):
        raise DataError(truth, "no polygons", "true objects", "Give a file that has some.")
    area = read_polygons(within, None, predicted.crs).polygons if within else None
    return score_objects(predicted, true, area)
