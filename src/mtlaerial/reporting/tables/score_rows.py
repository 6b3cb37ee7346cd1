"""Scores of one run from its sums: mask, group, score and value of each."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.reporting.tables.consistency import violation_rows
from mtlaerial.reporting.tables.groups import CLASS, OVERALL, group_of
from mtlaerial.scoring.checkerboard import checkerboard_ratios
from mtlaerial.scoring.detection import detection_scores
from mtlaerial.scoring.joint import iou3_scores
from mtlaerial.scoring.metrics import MASKS, height_scores, margins, semantic_scores, squared_share
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.seams import seam_ratio
from mtlaerial.scoring.uncertainty import uncertainty_scores

JOINT = "mIoU-3"
SETS = "mIoU of sets"
"""The mean IoU over ``scoring.class_sets``."""
SET = "set "
"""Prefix of the groups of sets of classes."""
SEAM = "seam "
"""Prefix of the seam scores of tasks."""
CHECKERBOARD = "checkerboard"
"""The largest checkerboard ratio, and the prefix of those at periods, e.g. ``checkerboard 4 px``."""
SQUARED_SHARE = "squared-error share"
"""A group's share of the squared error of all cells."""
CELLS = "cells"
Row = tuple[str, str, str, float]
"""Mask, group, score, value."""


def score_rows(run: Scores) -> Iterator[Row]:
    """Yield the scores from the sums over a run's tiles."""
    for mask in run.label_masks:
        yield from _semantic_rows(mask, run.confusion(mask), run.classes)
    yield from _set_rows(run)
    for mask in MASKS:
        yield from _height_rows(mask, run.height(mask))
    for score, value in detection_scores(run.detection()).items():
        if np.isfinite(value):
            yield "all", OVERALL, score, float(value)
    for mask in [name for name, pixels in run.label_masks.items() if not pixels.eroded]:
        confusion, near = run.joint(mask)
        joint = iou3_scores(margins(confusion), near)
        if np.isfinite(joint):
            yield mask, OVERALL, JOINT, float(joint)
    yield from violation_rows(run)
    yield from (("all", *score) for score in uncertainty_scores(run.uncertainty()))
    for task in run.tasks:
        ratio = seam_ratio((tile.seams for tile in run.tiles.values()), task)
        if ratio is not None:
            yield "all", OVERALL, SEAM + task, ratio
    ratios = checkerboard_ratios(tile.checkerboard for tile in run.tiles.values())
    if ratios:
        yield "all", OVERALL, CHECKERBOARD, max(ratios.values())
    for period, ratio in ratios.items():
        yield "all", OVERALL, f"{CHECKERBOARD} {period} px", ratio
    for task in run.further_tasks:
        for mask, group, score, number in score_rows(run.of(task)):
            yield mask, group_of(task, group), score, number


def _semantic_rows(mask: str, confusion: NDArray[np.float64], classes: Sequence[str]) -> Iterator[Row]:
    scores = semantic_scores(confusion, classes)
    for score in ("OA", "AA", "kappa", "mIoU", "F1"):
        if score in scores:
            yield mask, OVERALL, score, scores[score]
    for name in classes:
        for score in ("F1", "IoU"):
            if f"{score} {name}" in scores:
                yield mask, CLASS + name, score, scores[f"{score} {name}"]


def _set_rows(run: Scores) -> Iterator[Row]:
    if not run.class_sets:
        return
    names = list(run.class_sets)
    scores = semantic_scores(run.of_sets(run.confusion()), names)
    if "mIoU" in scores:
        yield "all", OVERALL, SETS, scores["mIoU"]
    for name in names:
        if f"IoU {name}" in scores:
            yield "all", SET + name, "IoU", scores[f"IoU {name}"]


def _height_rows(mask: str, groups: dict[str, NDArray[np.float64]]) -> Iterator[Row]:
    for group, sums in groups.items():
        yield mask, group, CELLS, float(sums[0])
        share = squared_share(sums, groups[OVERALL])
        if group != OVERALL and sums[0] and np.isfinite(share):
            yield mask, group, SQUARED_SHARE, float(share)
        for score, value in height_scores(sums).items():
            # Ratios need positive heights: those of all cells would be those of the mask "positive".
            if mask != "all" or score in ("MAE", "RMSE", "bias"):
                yield mask, group, score, value
