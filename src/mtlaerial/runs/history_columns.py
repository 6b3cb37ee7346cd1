"""Columns of ``history.csv`` that belong to a task."""

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.config.tasks import leads

SCORE = "val_score"
"""Column of the number by which validation chooses weights."""
VALIDATED: dict[Metrics, tuple[str, str]] = {"classes": ("OA", "mIoU"), "heights": ("MAE", "RMSE")}
"""Scores of the validation tiles, by metrics; the first one is compared with that of the constant prediction."""


def score_key(task: Task, score: str) -> str:
    """Return the key of a task's score: the score's name, after the task's where that is not the leading one.

    Examples
    --------
    >>> score_key("height", "MAE")
    'MAE'
    """
    return score if leads(task) else f"{task}_{score}"


def loss_column(task: Task) -> str:
    """Return the column of a task's loss."""
    return f"loss_{task}"


def weight_column(task: Task) -> str:
    """Return the column of a task's weight."""
    return f"weight_{task}"


def score_columns(task: Task) -> tuple[str, ...]:
    """Return the columns of a task's scores on the validation tiles."""
    return tuple(f"val_{score_key(task, score)}" for score in VALIDATED[task_entry(task).metrics])


def compared_key(task: Task) -> str:
    """Return the key of the score that is compared with that of the constant prediction."""
    return score_key(task, VALIDATED[task_entry(task).metrics][0])
