"""Scores of the constant prediction, the baseline that every method must beat."""

from collections.abc import Sequence

from mtlaerial.scoring.joint import ClassCounts
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_scores import TileScores
from mtlaerial.scoring.tile_sums import Confusion

CONSTANT = "constant"
"""The method that always predicts the majority class and the median height of the training tiles."""


def constant_run(runs: Sequence[Scores]) -> Scores:
    """Return the scores of the constant prediction.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set. The truth is the same for all, so that the first run with truth and with statistics
        of its training tiles is used; its seed has no meaning.
    """
    labelled_runs = [run for run in runs if run.confusion().any() and any(run.training_pixels)]
    semantics = labelled_runs[0] if labelled_runs else runs[0]
    height = next((run for run in runs if run.height("all", CONSTANT)), runs[0])
    joint = next((run for run in runs if any(tile.constant_near for tile in run.tiles.values())), runs[0])
    majority = max(range(len(semantics.classes)), key=semantics.training_pixels.__getitem__, default=0)
    tiles = {}
    for name in dict.fromkeys((*semantics.tiles, *height.tiles)):
        labelled = semantics.tiles.get(name, TileScores()) if labelled_runs else TileScores()
        measured = height.tiles.get(name, TileScores())
        # Runs may have been scored on different tiles: without its labels, a tile has no score of both tasks.
        both = joint.tiles.get(name, TileScores()) if labelled.confusion else TileScores()
        tiles[name] = TileScores(
            confusion=_predict_one_class(majority, labelled.confusion),
            eroded=_predict_one_class(majority, labelled.eroded),
            label_area=labelled.label_area,
            height=measured.constant,
            height_area=measured.height_area,
            detection=measured.constant_detection,
            near=_keep_one_class(majority, both.constant_near),
        )
    run = semantics.model_copy(update={"method": CONSTANT, "tiles": tiles})
    return _with_further_tasks(run, runs)


def _with_further_tasks(constant: Scores, runs: Sequence[Scores]) -> Scores:
    """Return the constant prediction with the sums of the tasks that are not the leading ones of their metrics."""
    further = dict.fromkeys(task for run in runs for task in run.further_tasks)
    alone = {task: constant_run([run.of(task) for run in runs if task in run.tasks]) for task in further}
    tiles = {}
    for name in dict.fromkeys((*constant.tiles, *(name for run in alone.values() for name in run.tiles))):
        sums = {task: run.tiles[name] for task, run in alone.items() if name in run.tiles}
        tiles[name] = constant.tiles.get(name, TileScores()).model_copy(update={"further": sums})
    return constant.model_copy(update={"tiles": tiles})


def _predict_one_class(code: int, confusion: Confusion) -> Confusion:
    """Return a confusion matrix with all pixels predicted as one class."""
    rows = []
    for row in confusion:
        moved = [0] * len(row)
        moved[code] = sum(row)
        rows.append(tuple(moved))
    return tuple(rows)


def _keep_one_class(code: int, counts: ClassCounts) -> ClassCounts:
    """Return counts per class with those of all other classes set to 0."""
    return tuple(count if index == code else 0 for index, count in enumerate(counts))
