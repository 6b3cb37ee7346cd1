"""Scores of a run on one tile in words, for beside its pictures."""

from collections.abc import Iterator

import numpy as np

from mtlaerial.config import task_entry
from mtlaerial.config.tasks import leads
from mtlaerial.scoring.metrics import height_scores, semantic_scores
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_sums import OVERALL


def tile_scores_text(run: Scores, tile: str) -> str:
    """Return mIoU and MAE of a run on a tile; empty where the tile has no truth.

    Parameters
    ----------
    run : Scores
    tile : str
        Name of one of its tiles, or of another.
    """
    return ", ".join(_texts(run, tile)) if tile in run.tiles else ""


def _texts(run: Scores, tile: str) -> Iterator[str]:
    for task in run.tasks:
        of_task = run if leads(task) else run.of(task)
        prefix, sums = "" if leads(task) else f"{task} ", of_task.tiles[tile]
        if task_entry(task).metrics == "classes":
            scores = semantic_scores(np.array(sums.confusion), run.classes) if sums.confusion else {}
            if "mIoU" in scores:
                yield f"{prefix}mIoU {100 * scores['mIoU']:.1f} %"
        else:
            groups = sums.height.get("all", {})
            scores = height_scores(np.array(groups[OVERALL])) if OVERALL in groups else {}
            if "MAE" in scores:
                yield f"{prefix}MAE {scores['MAE']:.2f} m"
