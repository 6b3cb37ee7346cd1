"""Comparison of methods with a baseline: effects, simultaneous intervals and verdicts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

import numpy as np

from mtlaerial.config import TASKS, Task, task_entry
from mtlaerial.config.comparison import ComparisonSpec
from mtlaerial.config.tasks import leads, registry_order
from mtlaerial.reporting.inference.differences import (
    Difference,
    difference,
    means_without_seeds,
    sums_without_tiles,
    tiles_with_truth,
)
from mtlaerial.reporting.inference.intervals import Array
from mtlaerial.reporting.inference.verdicts import Verdict, confidence_of_each, verdict_of
from mtlaerial.reporting.tables.gain import COMPARED, compared_score
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.tile_sums import tile_sums
from mtlaerial.scoring.gain import relative_gain
from mtlaerial.scoring.metrics import class_scores, length_scores
from mtlaerial.scoring.scores import Scores

MARGIN = ComparisonSpec().margin
Baselines = Mapping[Task, str]
"""The method that a task's scores are compared with."""


@dataclass(frozen=True)
class MeanScores:
    """A score of one method, pooled over tiles and averaged over seeds."""

    values: Array
    """Shape (1 + tiles, 1 + seeds): over all tiles and seeds, and without each tile and each seed."""
    tiles: int
    """Number of tiles with truth."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of one method with a baseline."""

    method: str
    baseline: str
    difference: Difference
    margin: float = MARGIN
    comparisons: int = 1
    """Number of methods that are compared with the baseline, for which interval and verdict are simultaneous."""
    by_area: Mapping[str, float] = field(default_factory=dict)
    """Effect on the tiles of each area that is tested in turn; empty for a fixed split."""

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the simultaneous confidence interval."""
        return self.difference.interval(confidence_of_each(self.comparisons))

    @property
    def adjusted(self) -> float:
        """The p-value, adjusted for the number of comparisons (Bonferroni)."""
        return min(self.comparisons * self.difference.p, 1.0) if self.difference.tested else nan

    @property
    def verdict(self) -> Verdict | None:
        """The verdict; None where nothing can be said."""
        return verdict_of(*self.interval, self.margin) if self.difference.tested else None

    @property
    def sentence(self) -> str:
        """The verdict in words, or the reason why there is none."""
        margin = f"{100 * self.margin:g} %"
        if self.verdict is None:
            return f"{self._untested_reason}: no verdict"
        if self.verdict == "inconclusive":
            return "inconclusive"
        if self.verdict == "equivalent":
            return f"equivalent to {self.baseline} within ±{margin}"
        small = f", by less than {margin}" if max(map(abs, self.interval)) < self.margin else ""
        return f"{self.verdict} than {self.baseline}{small}"

    @property
    def _untested_reason(self) -> str:
        if self.difference.seeds < 2:
            return "one seed" if self.difference.seeds else "no seed in common"
        if self.difference.tiles < 2:
            return "one test tile" if self.difference.tiles else "not scored for both tasks"
        return "no finite gain, as over a score of 0"


def compare(runs: Sequence[Scores], baseline: str | Baselines, margin: float = MARGIN) -> dict[str, Comparison]:
    """Compare every method with a baseline.

    Parameters
    ----------
    runs : sequence of Scores
        Runs on one data set, of methods that learn the same tasks.
    baseline : str or mapping of task to method
        One of the methods; or methods that learn one task each, whose runs are among ``runs`` too.
    margin : float
        Effects up to it do not matter.

    Returns
    -------
    dict of method to Comparison
        All methods but the baselines, in the order of the runs; intervals and verdicts hold for all of them together.
    """
    tasks = next((run.tasks for run in runs if run.method == baseline), ())
    baselines = dict.fromkeys(tasks, baseline) if isinstance(baseline, str) else dict(baseline)
    methods = dict.fromkeys(run.method for run in runs if run.method not in baselines.values())
    label = " + ".join(dict.fromkeys(baselines.values()))
    compared = [
        Comparison(
            method, label, _difference(runs, method, baselines), margin, by_area=_by_area(runs, method, baselines)
        )
        for method in methods
    ]
    tested = sum(entry.difference.tested for entry in compared)
    return {entry.method: replace(entry, comparisons=max(tested, 1)) for entry in compared}


def _difference(runs: Sequence[Scores], method: str, baselines: Baselines) -> Difference:
    names = list(dict.fromkeys(baselines.values()))
    method_runs, *others = paired(runs, method, *names)
    baseline_runs = dict(zip(names, others, strict=True))
    tiles = common_tiles([run for part in (method_runs, *others) for run in part])
    if not method_runs or not tiles:
        return Difference(nan, seeds=len(method_runs), tiles=len(tiles))
    tasks = [task for task in baselines if task in method_runs[0].tasks]
    scores = mean_scores(method_runs, tiles, tasks)
    references: dict[str, MeanScores] = {}
    for task in tasks:
        references |= mean_scores(baseline_runs[baselines[task]], tiles, [task])
    return mean_gain(scores, references)


def _by_area(runs: Sequence[Scores], method: str, baselines: Baselines) -> dict[str, float]:
    """Return the effect on the tiles of each area by itself."""
    areas = next((run.areas for run in runs if run.method == method), {})
    effects = {}
    for area, tiles in areas.items():
        on_area = [_on_tiles(run, tiles) for run in runs]
        effects[area] = _difference(on_area, method, baselines).effect
    return effects


def _on_tiles(run: Scores, tiles: Collection[str]) -> Scores:
    return run.model_copy(update={"tiles": {name: tile for name, tile in run.tiles.items() if name in tiles}})


def mean_gain(scores: Mapping[str, MeanScores], baseline: Mapping[str, MeanScores]) -> Difference:
    """Return the mean relative gain over the same scores of a baseline."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a baseline of 0 has no finite gain
        gains = [relative_gain(score, entry.values, baseline[score].values) for score, entry in scores.items()]
    entries = (*scores.values(), *baseline.values())
    return difference(np.mean(gains, axis=0), min(entry.tiles for entry in entries))


def paired(runs: Sequence[Scores], *methods: str) -> list[list[Scores]]:
    """Return the runs of methods for their common seeds, in the order of the seeds, if their classes agree.

    The classes are those of the last method.
    """
    classes = next((run.classes for run in runs if run.method == methods[-1]), ())
    comparable = [run for run in runs if run.classes == classes]
    by_seed = [{run.seed: run for run in comparable if run.method == method} for method in methods]
    seeds = sorted(set.intersection(*map(set, by_seed)))
    return [list(map(entries.__getitem__, seeds)) for entries in by_seed]


def common_tiles(runs: Sequence[Scores]) -> list[str]:
    """Return the tiles with any truth that all runs have, in the order of their names."""
    tiles = [_tiles_with_truth(run) for run in runs]
    return sorted(set.intersection(*tiles)) if tiles else []


def _tiles_with_truth(run: Scores) -> set[str]:
    return {name for name, tile in run.tiles.items() if any(part.confusion or part.height for part in tile.parts)}


def mean_scores(
    runs: Sequence[Scores], tiles: Sequence[str], tasks: Iterable[Task] = tuple(TASKS)
) -> dict[str, MeanScores]:
    """Return the scores that enter delta-m.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of one method, one per seed.
    tiles : sequence of str
    tasks : iterable of Task, optional
        Tasks that the runs learned; by default the package's.

    Returns
    -------
    dict of score to MeanScores
        mIoU or MAE of each task. Of a task that is not the leading one of its metrics, the name is before the score.
    """
    ordered = sorted(tasks, key=registry_order)
    return {compared_score(task): _task_scores(runs, tiles, task) for task in ordered}


def _task_scores(runs: Sequence[Scores], tiles: Sequence[str], task: Task) -> MeanScores:
    metrics, names = task_entry(task).metrics, runs[0].classes
    of_task = runs if leads(task) else [run.of(task) for run in runs]
    if metrics == "classes":
        sums = tile_sums(of_task, tiles, ("classes", "all"))
        scores = class_scores(sums_without_tiles(sums), names)
    else:
        sums = tile_sums(of_task, tiles, ("height", "all", OVERALL))
        scores = length_scores(sums_without_tiles(sums))
    return MeanScores(means_without_seeds(scores[COMPARED[metrics]]), tiles_with_truth(sums))
