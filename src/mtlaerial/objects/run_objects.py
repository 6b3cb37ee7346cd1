"""Scores of the objects of a run's maps by those of its test tiles."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.objects.object_scores import score_objects
from mtlaerial.objects.object_set import HEIGHT, object_set, projection_of_table
from mtlaerial.objects.truth_tile import TileTruth, read_tiles, unlabelled_share
from mtlaerial.scoring.object_sums import RunObjects
from mtlaerial.scoring.scores import Scores


def with_objects(scores: Scores, objects: Path, tiles: Sequence[Path], spec: ObjectsSpec) -> Scores:
    """Return the scores of a run with those of the objects of its maps.

    Tiles that lie side by side are one region, in truth as in the maps. Objects whose inner point lies in a tile
    without labels do not count.

    Parameters
    ----------
    scores : Scores
    objects : Path
        The file that :func:`mtlaerial.objects.vectorise.vectorise` wrote of the maps of all test tiles.
    tiles : sequence of Path
        Folders of the prepared test tiles.
    spec : ObjectsSpec
        What became an object.
    """
    labelled = [tile for tile in tiles if unlabelled_share(tile) < 1]
    if not labelled:
        return scores
    table, truth = read_vector_file(objects), TileTruth(scores.classes, spec.min_area, spec.min_hole)
    crs = projection_of_table(objects, table)
    classes = {}
    for name in spec.classes:
        predicted = object_set(objects, table[table["class"] == name], HEIGHT, crs)
        true, ground = read_tiles(labelled, truth, name, crs)
        classes[name] = score_objects(predicted, true, ground).groups
    return scores.model_copy(update={"objects": RunObjects(spec=spec, classes=classes)})
