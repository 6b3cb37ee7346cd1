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


def baselines(runs: Sequence[Scores], run: Scores) -> dict[Task, str]:
    """Return the single-task baseline of each task of a run for delta-m: the first method in the runs' order.

    It was trained on the same data set as the run, with the same share of the truth of its task.
    """
    methods: dict[Task, str] = {}
    for task in run.tasks:
        alone = [each for each in runs if each.tasks == (task,) and not each.ensemble]
        single = [each.method for each in alone if _truth_of(each, task) == _truth_of(run, task)]
        if single:
            methods[task] = single[0]
    return methods


def _truth_of(run: Scores, task: Task) -> tuple[str, float]:
    """Return what a run learned a task from: the data set where it is another, and the per cent of its truth."""
    return run.trained_on, run.percent_of_truth(task)


def gain_text(runs: Sequence[Scores]) -> str:
    """Return the definition of delta-m and its baselines as a sentence."""
    joint = [run for run in runs if len(run.tasks) > 1]
    chosen = [methods for run in joint if set(methods := baselines(runs, run)) == set(run.tasks)]
    names = " and ".join(dict.fromkeys(name for methods in chosen for name in methods.values()))
    alike = all(methods == chosen[0] for methods in chosen)
    over = names if alike else f"the methods of each task alone that learned from the same truth, of {names}"
    return f"Δm: mean relative gain in mIoU and MAE over {over}, seed by seed."


def learned_tasks(runs: Sequence[Scores]) -> list[Task]:
    """Return the tasks of some runs, the package's first."""
    return sorted(dict.fromkeys(task for run in runs for task in run.tasks), key=registry_order)


def compared_score(task: Task) -> str:
    """Return the name of the score of a task that enters delta-m; with the task's before it, but for leading ones."""
    score = COMPARED[task_entry(task).metrics]
    return score if leads(task) else f"{task} {score}"


def gain_over_baselines(run: Scores, runs: Sequence[Scores]) -> float | None:
    """Return delta-m of a run against its baselines of the same seed; None without one for each of its tasks."""
    methods = baselines(runs, run)
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
