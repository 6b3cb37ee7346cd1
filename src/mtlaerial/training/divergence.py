"""Signs of a diverged training: results that are worse than those of a constant prediction."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mtlaerial.config import Task, task_entry
from mtlaerial.config.tasks import registry_order
from mtlaerial.runs.history_columns import compared_key, loss_column
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.constant_losses import constant_height, equal_probabilities

Fault = tuple[Task, str]
"""A task, and how it is worse than a constant prediction."""

PERSISTENT = 2
"""Evaluations in a row that are worse than a constant prediction where a training that goes on is warned of: the first
one nearly always is, and one alone says little."""


def divergence(rows: Sequence[Mapping[str, Any]], plan: RunPlan, statistics: Statistics) -> str:
    """Return a sentence where a task is worse than a constant prediction in all of some rows of the history.

    It is empty where no task is, and has the numbers of the last row. Without scores of validation tiles the losses of
    the training patches are compared instead.

    Parameters
    ----------
    rows : sequence of mapping of column to value
        With ``val_OA`` and ``val_MAE`` beside ``constant_OA`` and ``constant_MAE``, see
        :class:`mtlaerial.training.validation.Validator`; or with losses alone.
    plan : RunPlan
    statistics : Statistics
        Of the training tiles.
    """
    faults = [dict(_faults(row, plan, statistics)) for row in rows]
    last = faults[-1] if faults else {}
    persistent = [text for task, text in last.items() if all(task in entry for entry in faults)]
    return f"Worse than a constant prediction: {'; '.join(persistent)}." if persistent else ""


def _faults(row: Mapping[str, Any], plan: RunPlan, statistics: Statistics) -> Iterator[Fault]:
    validated = any(column.startswith("val_") for column in row)
    for task in sorted(plan.tasks, key=registry_order):
        text = _validation_fault(row, task) if validated else _loss_fault(row, task, plan, statistics)
        if text:
            yield task, text


def _validation_fault(row: Mapping[str, Any], task: Task) -> str:
    key = compared_key(task)
    score, constant = row.get(f"val_{key}"), row.get(f"constant_{key}")
    if score is None or constant is None:
        return ""
    name = key.replace("_", " ")
    if task_entry(task).metrics == "classes":
        baseline = f"{100 * constant:.3g} %, that of the most frequent class of the training tiles"
        worse = _exceeds(100 * constant, 100 * score)
        return f"the validation {name} of {100 * score:.3g} % is below {baseline}" if worse else ""
    prediction = "0 m everywhere" if task_entry(task).derivation else "the median height of the training tiles"
    baseline = f"{constant:.3g} m, that of {prediction}"
    return f"the validation {name} of {score:.3g} m is above {baseline}" if _exceeds(score, constant) else ""


def _exceeds(number: float, bound: float) -> bool:
    """Tell whether a number is above another as both are printed; one that is not a number is above any."""
    return not number <= bound and f"{number:.3g}" != f"{bound:.3g}"


def _loss_fault(row: Mapping[str, Any], task: Task, plan: RunPlan, statistics: Statistics) -> str:
    """Return how a loss is worse than that of a constant prediction; empty for losses whose constant is not known."""
    loss, name = row.get(loss_column(task)), task_entry(task).loss
    if loss is None:
        return ""
    if name in ("class_error", "cross_entropy"):
        constant = equal_probabilities(name, plan, statistics)
    elif name == "height_error":
        constant = constant_height(plan, statistics)
    else:
        constant = None
    if constant is None or not _exceeds(loss * constant.factor, constant.loss):
        return ""
    observed = f"the training loss of {task} of {loss * constant.factor:.3g}{constant.unit}"
    return f"{observed} is above {constant.loss:.3g}{constant.unit}, {constant.prediction}"
