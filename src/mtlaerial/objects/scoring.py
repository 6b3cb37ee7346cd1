"""Scores of a file of objects by true ones: a file of polygons, or a prepared tile."""

from pathlib import Path

from pyproj import CRS

from mtlaerial.errors import ConfigError, DataError
from mtlaerial.objects.object_scores import ScoredObjects, score_objects
from mtlaerial.objects.object_set import ObjectSet, read_polygons, read_predicted
from mtlaerial.objects.truth_tile import TileTruth, read_tile


def score_files(
    objects: Path,
    truth: Path,
    height_column: str | None,
    class_name: str | None,
    within: Path | None,
    tile: TileTruth | None = None,
) -> ScoredObjects:
    """Score the objects of a file.

    Parameters
    ----------
    objects : Path
        Objects of maps, with the columns of :mod:`mtlaerial.objects.columns`.
    truth : Path
        True objects, in any CRS: a vector file, or with ``tile`` the folder of a prepared tile.
    height_column : str, optional
        Column of the true heights in metres, of a vector file.
    class_name : str, optional
        Class of ``objects`` that is scored; needed where there are several.
    within : Path, optional
        Polygons of the area that was mapped and has truth; by default the tile, and all of a vector file.
    tile : TileTruth, optional
        How the labels of a prepared tile become objects.

    Raises
    ------
    UserError
        When a file cannot be read, lacks a column or has no polygons.
    """
    if truth.is_dir() != (tile is not None):
        expected = "--spec DATASET.yaml with the folder of a prepared tile" if truth.is_dir() else "none with polygons"
        raise ConfigError("--spec", "none" if tile is None else "a data set", expected, "See --help.")
    if tile and height_column:
        expected = "none with a prepared tile, whose heights are those of its layer"
        raise ConfigError("--height", repr(height_column), expected, "Leave it out.")
    predicted = read_predicted(objects, class_name)
    area = _some_polygons(within, None, predicted.crs, "the area that was mapped and has truth") if within else None
    if tile:
        true, ground = read_tile(truth, tile, predicted.class_name, predicted.crs)
        return score_objects(predicted, true, ground if area is None else area.polygons)
    true = _some_polygons(truth, height_column, predicted.crs, "true objects")
    return score_objects(predicted, true, area.polygons if area else None)


def _some_polygons(path: Path, height_column: str | None, crs: CRS, expected: str) -> ObjectSet:
    """Return the polygons of a vector file, which must have some."""
    polygons = read_polygons(path, height_column, crs)
    if not len(polygons):
        raise DataError(path, "no polygons", expected, "Give a file that has some.")
    return polygons
