"""Bold numbers: the one rule of all tables.

The best method of a score is bold if the interval of its lead over the runner-up, over seeds and test tiles, excludes 0
(p below 0.05). So a lone method, ties, and a lead that chance explains are not bold, nor is a method that does not beat
the constant prediction. The test of the first two of many needs no adjustment for their number (Hung and Fithian 2019,
doi 10.1214/18-AOS1697); the columns of a table are not adjusted for each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

from mtlaerial.config import Task
from mtlaerial.reporting.inference.differences import (
    Difference,
    difference,
    means_without_seeds,
    sums_without_tiles,
    tiles_with_truth,
)
from mtlaerial.reporting.inference.intervals import CONFIDENCE, Array
from mtlaerial.reporting.tables.columns import DETECTION_SCORES, RATIO_SCORES, Column
from mtlaerial.reporting.tables.comparison import Comparison, common_tiles, compare, paired
from mtlaerial.reporting.tables.gain import GAIN
from mtlaerial.reporting.tables.groups import CLASS, split_group
from mtlaerial.reporting.tables.score_rows import JOINT, SET, SETS
from mtlaerial.reporting.tables.tile_sums import Source, tile_sums
from mtlaerial.scoring.detection import detection_scores
from mtlaerial.scoring.joint import iou3_scores
from mtlaerial.scoring.metrics import class_scores, length_scores
from mtlaerial.scoring.scores import Scores

RULE = (
    f"Bold: better than the runner-up with {100 * CONFIDENCE:g} % confidence over seeds and test tiles, each number by "
    "itself."
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
        self._left_out: dict[tuple[object, ...], LeftOut] = {}

    def better(self, best: str, runner_up: str, column: Column) -> bool:
        """Return whether a method is significantly better in a score than another that is worse on average."""
        if column.score == GAIN:
            comparison = self._gain(best, runner_up)
            return comparison is not None and comparison.verdict == "better"
        return self.lead(best, runner_up, column).interval()[0] > 0

    def lead(self, best: str, runner_up: str, column: Column) -> Difference:
        """Return the difference of a method in a score to another that is worse on average, above 0 where it leads."""
        if column.score == GAIN:
            comparison = self._gain(best, runner_up)
            return comparison.difference if comparison else Difference(nan)
        pair = paired(self.runs, best, runner_up)
        task, group = split_group(column.group)
        column = replace(column, group=group)  # of the task alone
        sign = -1 if column.lower_is_better else 1
        return self.difference(
            pair,
            source_of(column),
            _key(column),
            column.group,
            lambda scores, reference: sign * (scores - reference),
            task,
        )

    def _gain(self, best: str, runner_up: str) -> Comparison | None:
        """Return the comparison of two methods by the mean of relative gains in both tasks."""
        pair = paired(self.runs, best, runner_up)
        return compare([run for runs in pair for run in runs], runner_up).get(best)

    def difference(
        self,
        runs: Sequence[Sequence[Scores]],
        source: Source,
        score: str,
        group: str,
        measure: Callable[[Array, Array], Array],
        task: Task | None = None,
    ) -> Difference:
        """Return the difference of a score between two methods.

        Parameters
        ----------
        runs : pair of sequence of Scores
            Runs of a method and of its baseline, of the same seeds in the same order.
        source : Source
            The sums that the score follows from.
        score, group : str
            Its name among the scores of the source, and its group: a class may occur in few of the tiles.
        measure : callable
            The difference as a function of both scores, element by element.
        task : str, optional
            A task that is not the leading one of its metrics.
        """
        tiles = common_tiles([run for part in runs for run in part])
        if not tiles:
            return Difference(nan, seeds=len(runs[0]))
        method, baseline = (self._without(part, tiles, source, task) for part in runs)
        effects = measure(method.scores[score], baseline.scores[score])
        return difference(effects, min(each.tiles_with(group) for each in (method, baseline)))

    def estimate(self, runs: Sequence[Scores], source: Source, score: str, task: Task | None = None) -> Difference:
        """Return a score of a method by itself, with its errors; parameters as of :meth:`difference`."""
        tiles = common_tiles(runs)
        if not runs or not tiles:
            return Difference(nan, seeds=len(runs))
        left_out = self._without(runs, tiles, source, task)
        return difference(left_out.scores[score], left_out.tiles)

    def _without(self, runs: Sequence[Scores], tiles: Sequence[str], source: Source, task: Task | None) -> "LeftOut":
        """Return the scores of a method's runs; they are computed once for all columns of a source."""
        key = (runs[0].method, tuple(run.seed for run in runs), tuple(tiles), source, task)
        if key not in self._left_out:
            of_task = [run.of(task) for run in runs] if task else runs
            names = tuple(runs[0].class_sets) if source == OF_SETS else runs[0].classes
            self._left_out[key] = _left_out(tile_sums(of_task, tiles, source), source, names)
        return self._left_out[key]


@dataclass(frozen=True)
class LeftOut:
    """Scores of a method, pooled over tiles and averaged over seeds, also without each tile and each seed."""

    tiles: int
    """Number of tiles with truth."""
    class_tiles: Mapping[str, int]
    """Number of tiles in which each class occurs, by group; empty for scores that are not of classes."""
    scores: Mapping[str, Array]
    """By score, shape (1 + tiles, 1 + seeds)."""

    def tiles_with(self, group: str) -> int:
        """Return the number of tiles with truth for a group."""
        return self.class_tiles.get(group, self.tiles)


def _left_out(sums: Array, source: Source, classes: Sequence[str]) -> LeftOut:
    by_score = _scores(sums_without_tiles(sums), source, classes)
    scores = {name: means_without_seeds(values) for name, values in by_score.items()}
    return LeftOut(tiles_with_truth(sums), _class_tiles(sums, source, classes), scores)


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
