"""Columns of ``history.csv`` that belong to a task."""

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.config.tasks import leads
from mtlaerial.config.weighting import Level

SCORE = "val_score"
"""Column of the number by which validation chooses weights."""
VALIDATED: dict[Metrics, tuple[str, str]] = {"classes": ("OA", "mIoU"), "heights": ("MAE", "RMSE")}
"""Scores of the validation tiles, by metrics; the first one is compared with that of the constant prediction."""

LEVELS: dict[Level, str] = {"features": "shared features", "parameters": "trunk's parameters"}
"""Places where the tasks' gradients are recorded, in words."""


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


def norm_column(level: Level, task: Task) -> str:
    """Return the column of the norm of a task's gradient.

    Examples
    --------
    >>> norm_column("features", "height")
    'norm_features_height'
    """
    return f"norm_{level}_{task}"


def cosine_column(level: Level, first: Task, second: Task) -> str:
    """Return the column of the cosine between the gradients of two tasks, in the order of the method's tasks."""
    return f"cosine_{level}_{first}_{second}"
