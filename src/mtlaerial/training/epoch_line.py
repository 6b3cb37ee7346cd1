"""The line on an epoch in log and terminal; ``history.csv`` has the whole row."""

from collections.abc import Iterator, Mapping
from typing import Any

from mtlaerial.config import Task, task_entry
from mtlaerial.runs.history_columns import VALIDATED, loss_column, score_key
from mtlaerial.runs.plan import RunPlan


def epoch_line(row: Mapping[str, Any], plan: RunPlan, is_best: bool) -> str:
    """Return an epoch's losses, and of each task the score that weights are chosen by.

    Parameters
    ----------
    row : mapping of column to value
        Of the history, at the end of an epoch.
    plan : RunPlan
    is_best : bool
        Whether the validation is the best so far.

    Returns
    -------
    str
        For example ``epoch 2/4: loss semantics 1.31, height 1.68; val mIoU 19.1 %, MAE 5.19 m, best``.
    """
    losses = ", ".join(f"{task} {row[loss_column(task)]:.3g}" for task in plan.tasks)
    text = f"epoch {row['epoch']:.0f}/{plan.training.epochs}: loss {losses}"
    scores = ", ".join(score for task in plan.tasks for score in _score(row, task))
    best = ", best" if is_best else ""
    return f"{text}; val {scores}{best}" if scores else text


def _score(row: Mapping[str, Any], task: Task) -> Iterator[str]:
    """Yield mIoU in per cent or MAE in metres, where the validation tiles have truth of the task."""
    classes = task_entry(task).metrics == "classes"
    first, second = VALIDATED[task_entry(task).metrics]
    key = score_key(task, second if classes else first)
    value = row.get(f"val_{key}")
    if value is not None:
        yield f"{key} {100 * value:.1f} %" if classes else f"{key} {value:.2f} m"
