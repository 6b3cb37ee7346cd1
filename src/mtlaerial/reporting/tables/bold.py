"""Bold numbers: the one rule of all tables.

The best method of a score is bold if the paired bootstrap over seeds and test tiles says that it is better than the
runner-up: p below 0.05, and at least five seeds in common. So a lone method, ties, and a lead that chance explains are
not bold, nor is a method that does not beat the constant prediction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtlaerial.config import Task
from mtlaerial.reporting.tables.bootstrap import DRAWS, Array, averaged, judged, resamples, tiles_with_truth
from mtlaerial.reporting.tables.collect import GAIN, JOINT, SET, SETS
from mtlaerial.reporting.tables.columns import DETECTION_SCORES, RATIO_SCORES, Column
from mtlaerial.reporting.tables.comparison import ENOUGH_SEEDS, LEVEL, common_tiles, compare, paired
from mtlaerial.reporting.tables.groups import CLASS, split_group
from mtlaerial.reporting.tables.tile_sums import Source, tile_sums
from mtlaerial.scoring.detection import detection_scores
from mtlaerial.scoring.joint import iou3_scores
from mtlaerial.scoring.metrics import class_scores, length_scores
from mtlaerial.scoring.scores import Scores

RULE = (
    f"Bold: better than the runner-up by a paired bootstrap over seeds and test tiles (p < {LEVEL:g}, at least "
    f"{ENOUGH_SEEDS} seeds in common)."
)

OF_SETS: Source = ("sets",)
"""The sums that scores of sets of classes follow from."""


class Bold:
    """Comparisons of methods on one data set, score by score.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on the data set.
    """

    def __init__(self, runs: Sequence[Scores]) -> None:
        self.runs = runs
        self._drawn: dict[tuple[object, ...], Drawn] = {}

    def better(self, best: str, runner_up: str, column: Column) -> bool:
        """Return whether a method is significantly better in a score than another that is worse on average."""
        best_runs, other_runs = paired(self.runs, best, runner_up)
        tiles = common_tiles((*best_runs, *other_runs))
        if len(best_runs) < ENOUGH_SEEDS or len(tiles) < 2:
            return False
        if column.score == GAIN:  # the mean of relative gains in both tasks
            return compare((*best_runs, *other_runs), runner_up)[best].better
        task, group = split_group(column.group)
        column = replace(column, group=group)  # of the task alone
        draws = [self.draw(runs, tiles, source_of(column), task) for runs in (best_runs, other_runs)]
        method, baseline = draws
        units = min(len(best_runs), method.tiles_with(column))
        sign = -1 if column.lower_is_better else 1
        gains = sign * (method.scores[_key(column)] - baseline.scores[_key(column)])
        return units > 1 and judged(float(gains[0]), gains[1:], units).p < LEVEL

    def draw(self, runs: Sequence[Scores], tiles: Sequence[str], source: Source, task: Task | None = None) -> "Drawn":
        """Return the drawn scores of a method's runs; they are computed once for all columns of a source."""
        key = (runs[0].method, tuple(run.seed for run in runs), tuple(tiles), source, task)
        if key not in self._drawn:
            of_task = [run.of(task) for run in runs] if task else runs
            names = tuple(runs[0].class_sets) if source == OF_SETS else runs[0].classes
            self._drawn[key] = _drawn_scores(tile_sums(of_task, tiles, source), source, names)
        return self._drawn[key]


@dataclass(frozen=True)
class Drawn:
    """Scores of a method, pooled over tiles and averaged over seeds."""

    tiles: int
    """Number of tiles with truth."""
    class_tiles: Mapping[str, int]
    """Number of tiles in which each class occurs, by group; empty for scores that are not of classes."""
    scores: Mapping[str, Array]
    """By score: its value, then that of each draw."""

    def tiles_with(self, column: Column) -> int:
        """Return the number of tiles with truth for a column: a class may occur in few of the tiles."""
        return self.class_tiles.get(column.group, self.tiles)


def _drawn_scores(sums: Array, source: Source, classes: Sequence[str]) -> Drawn:
    seeds, tiles = sums.shape[:2]
    parts: dict[str, list[Array]] = {}
    once = np.ones((1, seeds)), np.ones((1, tiles))
    for seed_times, tile_times in (once, *resamples(seeds, tiles, DRAWS)):
        total = np.tensordot(tile_times, sums, axes=(1, 1))  # draws, seeds, …
        for name, values in _scores(total, source, classes).items():
            parts.setdefault(name, []).append(averaged(values, seed_times))
    scores = {name: np.concatenate(values) for name, values in parts.items()}
    return Drawn(tiles_with_truth(sums), _class_tiles(sums, source, classes), scores)


def _class_tiles(sums: Array, source: Source, classes: Sequence[str]) -> dict[str, int]:
    """Return the number of tiles in which each class occurs, by group; empty for a source that is not of classes."""
    if source[0] not in ("classes", "sets"):
        return {}
    true = sums[:, :, 1, :]  # seeds, tiles, classes: the same for all seeds
    numbers = (true > 0).any(axis=0).sum(axis=0).tolist()
    prefix = CLASS if source[0] == "classes" else SET
    return {prefix + name: number for name, number in zip(classes, numbers, strict=True)}


def _scores(total: Array, source: Source, classes: Sequence[str]) -> Mapping[str, Array]:
    if source[0] in ("classes", "sets"):
        return class_scores(total, classes)
    if source[0] == "height":
        return length_scores(total)
    if source[0] == "detection":
        return detection_scores(total)
    return {JOINT: iou3_scores(total[..., :3, :], total[..., 3, :])}


def source_of(column: Column) -> Source:
    """Return the sums that a column's score follows from."""
    if column.score == JOINT:
        return "joint", column.mask
    if column.score == SETS or column.group.startswith(SET):
        return OF_SETS
    if column.score in DETECTION_SCORES:
        return ("detection",)
    if column.length or column.score in RATIO_SCORES:
        return "height", column.mask, column.group
    return "classes", column.mask


def _key(column: Column) -> str:
    """Return the name of a column's score among those of its source."""
    if source_of(column) == OF_SETS:
        return "mIoU" if column.score == SETS else f"{column.score} {column.group.removeprefix(SET)}"
    of_class = source_of(column)[0] == "classes" and column.group.startswith(CLASS)
    return f"{column.score} {column.group.removeprefix(CLASS)}" if of_class else column.score
