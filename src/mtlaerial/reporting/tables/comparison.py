"""Comparison of methods with a baseline: significance of the differences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan

from mtlaerial.config import TASKS, Task, task_entry
from mtlaerial.config.tasks import leads, registry_order
from mtlaerial.reporting.tables.bootstrap import DRAWS, Difference, Summed, Sums, counts, difference, holm
from mtlaerial.reporting.tables.collect import COMPARED, compared_score
from mtlaerial.reporting.tables.groups import OVERALL
from mtlaerial.reporting.tables.tile_sums import tile_sums
from mtlaerial.scoring.metrics import class_scores, length_scores
from mtlaerial.scoring.scores import Scores

LEVEL = 0.05
"""Significance level for the adjusted p-value."""
ENOUGH_SEEDS = 5
"""Least seeds for the verdict "better"."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of one method with a baseline."""

    method: str
    baseline: str
    seeds: int
    """Number of seeds that both have."""
    tiles: int
    """Number of tiles with truth for the task that has the fewest."""
    difference: Difference
    adjusted: float = nan
    """The p-value, adjusted for the number of methods compared with the baseline."""

    @property
    def better(self) -> bool:
        """Whether the method is significantly better, over enough seeds."""
        return self.adjusted < LEVEL and self.difference.effect > 0 and self.seeds >= ENOUGH_SEEDS

    @property
    def verdict(self) -> str:
        """The result as a sentence."""
        if not isfinite(self.adjusted):
            return f"{self._untested_reason}: no statement"
        if self.better:
            return f"better than {self.baseline}"
        if self.adjusted < LEVEL and self.difference.effect < 0:
            return f"worse than {self.baseline}"
        few = f" (fewer than {ENOUGH_SEEDS} seeds)" if self.adjusted < LEVEL else ""
        return f"not distinguishable from {self.baseline}{few}"

    @property
    def _untested_reason(self) -> str:
        if self.seeds < 2:
            return "one seed" if self.seeds else "no seed in common"
        return "one test tile" if self.tiles == 1 else "not scored for both tasks"


def compare(runs: Sequence[Scores], baseline: str, draws: int = DRAWS) -> dict[str, Comparison]:
    """Compare every method with a baseline.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of methods that learn the same tasks, on one data set.
    baseline : str
        One of the methods.
    draws : int
        Number of bootstrap draws; see :func:`mtlaerial.reporting.tables.bootstrap.difference`.

    Returns
    -------
    dict of method to Comparison
        All methods but the baseline, in the order of the runs; p-values are adjusted for their number.
    """
    methods = dict.fromkeys(run.method for run in runs if run.method != baseline)
    comparisons = [_comparison(runs, method, baseline, draws) for method in methods]
    adjusted = holm([comparison.difference.p for comparison in comparisons])
    return {entry.method: replace(entry, adjusted=p) for entry, p in zip(comparisons, adjusted, strict=True)}


def _comparison(runs: Sequence[Scores], method: str, baseline: str, draws: int) -> Comparison:
    method_runs, baseline_runs = paired(runs, method, baseline)
    tiles = common_tiles((*method_runs, *baseline_runs))
    if not method_runs or not tiles:
        return Comparison(method, baseline, len(method_runs), len(tiles), Difference(nan))
    tasks = [task for task in baseline_runs[0].tasks if task in method_runs[0].tasks]
    sums = run_sums(method_runs, tiles, tasks)
    return Comparison(method, baseline, *counts(sums), difference(sums, run_sums(baseline_runs, tiles, tasks), draws))


def paired(runs: Sequence[Scores], method: str, baseline: str) -> tuple[list[Scores], list[Scores]]:
    """Return the runs of both methods for their common seeds, in the order of the seeds, if their classes agree."""
    classes = next(run.classes for run in runs if run.method == baseline)
    comparable = [run for run in runs if run.classes == classes]
    method_runs = {run.seed: run for run in comparable if run.method == method}
    baseline_runs = {run.seed: run for run in comparable if run.method == baseline}
    seeds = sorted(method_runs.keys() & baseline_runs.keys())
    return list(map(method_runs.__getitem__, seeds)), list(map(baseline_runs.__getitem__, seeds))


def common_tiles(runs: Sequence[Scores]) -> list[str]:
    """Return the tiles with any truth that all runs have, in the order of their names."""
    tiles = [_tiles_with_truth(run) for run in runs]
    return sorted(set.intersection(*tiles)) if tiles else []


def _tiles_with_truth(run: Scores) -> set[str]:
    return {name for name, tile in run.tiles.items() if any(part.confusion or part.height for part in tile.parts)}


def run_sums(runs: Sequence[Scores], tiles: Sequence[str], tasks: Iterable[Task] = tuple(TASKS)) -> Sums:
    """Return the sums behind the scores that enter delta-m.

    Parameters
    ----------
    runs : sequence of Scores
        Runs of one method, one per seed.
    tiles : sequence of str
    tasks : iterable of Task, optional
        Tasks that the runs learned; by default the package's.

    Returns
    -------
    mapping of score to Summed
        For mIoU, hits, true and predicted pixels of the classes. For MAE, the sums of heights over all cells. Of a task
        that is not the leading one of its metrics, the name is before the score.
    """
    ordered = sorted(tasks, key=registry_order)
    return {compared_score(task): _task_sums(runs, tiles, task) for task in ordered}


def _task_sums(runs: Sequence[Scores], tiles: Sequence[str], task: Task) -> Summed:
    metrics, names = task_entry(task).metrics, runs[0].classes
    score = COMPARED[metrics]
    of_task = runs if leads(task) else [run.of(task) for run in runs]
    if metrics == "classes":
        return Summed(tile_sums(of_task, tiles, ("classes", "all")), lambda sums: class_scores(sums, names)[score])
    return Summed(tile_sums(of_task, tiles, ("height", "all", OVERALL)), lambda sums: length_scores(sums)[score])
