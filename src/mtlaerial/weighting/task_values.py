"""Options with a value per task: weights, and preferences."""

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.errors import ConfigError

Values = Mapping[Task, float]


class PreferenceOptions(Section):
    """How much each task is preferred."""

    preferences: dict[Task, float] | None = Field(default=None)
    """By task, all positive; only their ratios count. By default all are alike."""


def task_values(values: Values, tasks: tuple[Task, ...], where: str, kind: str) -> Tensor:
    """Return the values in the order of the tasks, shape (tasks,), float64.

    Parameters
    ----------
    values : mapping of task to float
    tasks : tuple of Task
    where, kind : str
        For messages: the key, e.g. ``weighting fixed, key weights``, and what a value is, e.g. ``weight``.

    Raises
    ------
    ConfigError
        When there is not exactly a positive value for each task.
    """
    ordered = [values.get(task, 0.0) for task in tasks]
    if len(values) != len(tasks) or not all(0 < value < torch.inf for value in ordered):
        given = ", ".join(f"{task} {value:g}" for task, value in values.items()) or "none"
        expected = f"a positive {kind} for exactly the tasks {', '.join(tasks)}"
        raise ConfigError(where, given, expected, f"Correct the {kind}s.")
    return torch.tensor(ordered, dtype=torch.float64)


def preference_shares(preferences: Values | None, tasks: tuple[Task, ...], name: str) -> Tensor:
    """Return each task's share in the preferences, shape (tasks,), float64; 1 / n where none are given.

    Raises
    ------
    ConfigError
        As of :func:`task_values`.
    """
    if preferences is None:
        return torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64)
    values = task_values(preferences, tasks, f"weighting {name}, key preferences", "preference")
    return values / values.sum()
