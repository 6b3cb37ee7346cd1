"""Delta-m of runs against the single-task baselines of the same seed."""

from collections.abc import Sequence

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.config.tasks import leads, registry_order
from mtlaerial.reporting.tables.groups import OVERALL, split_group
from mtlaerial.reporting.tables.score_rows import score_rows
from mtlaerial.scoring.gain import delta_m
from mtlaerial.scoring.scores import Scores

GAIN = "delta-m"
COMPARED: dict[Metrics, str] = {"classes": "mIoU", "heights": "MAE"}
"""The score of a task that enters delta-m, by its metrics."""


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


def gain_over_baselines(run: Scores, runs: Sequence[Scores]) -> float | None:
    """Return delta-m of a run against the single-task runs of the same seed; None without one for each of its tasks."""
    methods = baselines(runs)
    if len(run.tasks) < 2 or not set(run.tasks) <= set(methods):
        return None
    names = list(map(compared_score, run.tasks))
    single = {
        compared_score(task): _overall(baseline).get(compared_score(task), 0.0)
        for task in run.tasks
        for baseline in runs
        if (baseline.method, baseline.seed) == (methods[task], run.seed)
    }
    scores = _overall(run)
    # A baseline of 0 has no relative gain.
    if not all(single.get(name) for name in names) or not set(names) <= set(scores):
        return None
    return delta_m(scores, single, names)


def _overall(run: Scores) -> dict[str, float]:
    """Return the scores over all pixels; the names of those of further tasks begin with the task."""
    scores = {}
    for mask, group, score, value in score_rows(run):
        task, of_task = split_group(group)
        if (mask, of_task) == ("all", OVERALL):
            scores[f"{task} {score}" if task else score] = value
    return scores
