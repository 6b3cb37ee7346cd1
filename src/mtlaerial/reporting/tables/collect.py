"""Scores in long form, one row per number, and their mean and deviation over seeds."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.config.tasks import leads, registry_order
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.reporting.tables.consistency import violation_rows
from mtlaerial.reporting.tables.constant import CONSTANT, constant_run
from mtlaerial.reporting.tables.groups import CLASS, OVERALL, group_of, split_group
from mtlaerial.reporting.tables.left_out import left_out_alike
from mtlaerial.scoring.checkerboard import checkerboard_ratios
from mtlaerial.scoring.detection import detection_scores
from mtlaerial.scoring.gain import delta_m
from mtlaerial.scoring.joint import iou3_scores
from mtlaerial.scoring.metrics import MASKS, height_scores, margins, semantic_scores, squared_share
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.seams import seam_ratio
from mtlaerial.scoring.uncertainty import uncertainty_scores

POOLED, TILE_MEAN = "pooled", "tile mean"
GAIN = "delta-m"
JOINT = "mIoU-3"
SETS = "mIoU of sets"
"""The mean IoU over ``scoring.class_sets``."""
SET = "set "
"""Prefix of the groups of sets of classes."""
SEAM = "seam "
"""Prefix of the seam scores of tasks."""
CHECKERBOARD = "checkerboard"
"""The largest checkerboard ratio, and the prefix of those at periods, e.g. ``checkerboard 4 px``."""
COMPARED: dict[Metrics, str] = {"classes": "mIoU", "heights": "MAE"}
"""The score of a task that enters delta-m, by its metrics."""
SQUARED_SHARE = "squared-error share"
"""A group's share of the squared error of all cells."""
CELLS = "cells"
POOLED_ALONE = (CELLS, SQUARED_SHARE)
"""Numbers without a mean over tiles: shares of single tiles, some of which lack a group, do not add up."""
COLUMNS = ["dataset", "method", "seed", "pooling", "mask", "group", "score", "value"]
Row = tuple[str, str, str, float]
"""Mask, group, score, value."""
PooledRow = tuple[str, str, str, str, float]
"""Pooling, mask, group, score, value."""


def collect(scores: Sequence[Scores]) -> pd.DataFrame:
    """Return every score of every run, one per row.

    Parameters
    ----------
    scores : sequence of Scores
        One per run, in the order of the tables.

    Returns
    -------
    DataFrame
        Columns ``dataset, method, seed, pooling, mask, group, score, value``. Values are fractions or metres.
        ``pooling`` is ``pooled``, from sums over the test tiles, or ``tile mean``, the plain mean of a score over the
        tiles that have it, as some publications give it. ``mask`` is ``all``; ``eroded`` for semantics without the
        pixels along class boundaries; ``without CLASS, …`` and ``eroded, without CLASS, …`` without the pixels of
        classes that a run leaves out (``scoring.without_classes``); ``positive`` for heights with 0 < h < 9000 m,
        ``objects`` with 1 m < h < 9000 m.
        ``group`` is ``overall``, ``class NAME``, a bin of true height or ``h > 3 m``; that of a task which is not the
        leading one of its metrics begins with the task. ``cells`` counts the heights of a
        group, in cells of the finest grid, and ``squared-error share`` is its share of the squared error of the mask's
        cells; both are pooled alone. ``seam TASK`` is the mean step from pixel to pixel at window borders
        relative to that elsewhere. ``checkerboard N px`` is the power of predicted heights at that period relative to
        its neighbours, and ``checkerboard`` the largest of these. ``violations`` is the share of cells that break a
        rule between tasks. ``ECE``, ``AUSE …``, ``coverage N %`` and ``width N %`` are scores of uncertainty, whose
        groups ``predicted …`` are bins of predicted height. Scores that a run lacks have no rows. Each data set ends
        with the method ``constant``, which has no seed.

    Raises
    ------
    ConfigError, DataError
        When a method is named ``constant``, or a run is given twice.
    """
    _require_distinct(scores)
    rows: list[tuple[str, str, int | None, str, str, str, str, float]] = []
    for dataset in dict.fromkeys(run.dataset for run in scores):
        runs = left_out_alike([run for run in scores if run.dataset == dataset])
        for run in runs:
            numbers = (*_both_poolings(run), *_gain(run, runs))
            rows += [(dataset, run.method, run.seed, *row) for row in numbers]
        rows += [(dataset, CONSTANT, None, *row) for row in _both_poolings(constant_run(runs))]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"seed": "Int64", "value": "float64"})


def mean_over_seeds(long: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds.

    Parameters
    ----------
    long : DataFrame
        From :func:`collect`.

    Returns
    -------
    DataFrame
        Columns ``dataset, method, pooling, mask, group, score, mean, std, n``. The deviation is the sample standard
        deviation (n - 1 in the denominator), missing for a single value; n is the number of seeds with the score.
    """
    keys = [column for column in COLUMNS if column not in ("seed", "value")]
    groups = long.groupby(keys, sort=False)["value"]
    return groups.agg(mean="mean", std="std", n="size").reset_index()


def baselines(runs: Sequence[Scores]) -> dict[Task, str]:
    """Return the single-task baseline of each task for delta-m: the first method in the runs' order."""
    methods: dict[Task, str] = {}
    for task in learned_tasks(runs):
        single = [run.method for run in runs if run.tasks == (task,) and not run.ensemble]
        if single:
            methods[task] = single[0]
    return methods


def learned_tasks(runs: Sequence[Scores]) -> list[Task]:
    """Return the tasks of some runs, the package's first."""
    return sorted(dict.fromkeys(task for run in runs for task in run.tasks), key=registry_order)


def compared_score(task: Task) -> str:
    """Return the name of the score of a task that enters delta-m; with the task's before it, but for leading ones."""
    score = COMPARED[task_entry(task).metrics]
    return score if leads(task) else f"{task} {score}"


def _require_distinct(scores: Sequence[Scores]) -> None:
    if any(run.method == CONSTANT for run in scores):
        raise ConfigError("run.methods", f"a method named {CONSTANT}", "another name", "The tables have such a row.")
    for key, times in Counter((run.dataset, run.method, run.seed) for run in scores).items():
        if times > 1:
            where = f"scores of {key[0]}, {key[1]}, seed {key[2]}"
            raise DataError(where, f"{times} files", "each run once", "Give each scores.json once.")


def _both_poolings(run: Scores) -> Iterator[PooledRow]:
    for row in _rows(run):
        yield POOLED, *row
    values: dict[tuple[str, str, str], list[float]] = {}
    for name, tile in run.tiles.items():
        for mask, group, score, value in _rows(run.model_copy(update={"tiles": {name: tile}})):
            values.setdefault((mask, group, score), []).append(value)
    for (mask, group, score), of_tiles in values.items():
        if score not in POOLED_ALONE:
            yield TILE_MEAN, mask, group, score, fmean(of_tiles)


def _rows(run: Scores) -> Iterator[Row]:
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
        for mask, group, score, number in _rows(run.of(task)):
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


def _gain(run: Scores, runs: Sequence[Scores]) -> Iterator[PooledRow]:
    """Yield delta-m of a run against the single-task runs of the same seed, if there is one for each of its tasks."""
    methods = baselines(runs)
    if len(run.tasks) < 2 or not set(run.tasks) <= set(methods):
        return
    names = list(map(compared_score, run.tasks))
    single = {
        compared_score(task): _overall(baseline).get(compared_score(task), 0.0)
        for task in run.tasks
        for baseline in runs
        if (baseline.method, baseline.seed) == (methods[task], run.seed)
    }
    # A baseline of 0 has no relative gain.
    if all(single.get(name) for name in names) and set(names) <= set(_overall(run)):
        yield POOLED, "all", OVERALL, GAIN, delta_m(_overall(run), single, names)


def _overall(run: Scores) -> dict[str, float]:
    """Return the scores over all pixels; the names of those of further tasks begin with the task."""
    scores = {}
    for mask, group, score, value in _rows(run):
        task, of_task = split_group(group)
        if (mask, of_task) == ("all", OVERALL):
            scores[f"{task} {score}" if task else score] = value
    return scores
