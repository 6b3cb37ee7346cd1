"""Signs of a diverged training: results that are worse than those of a constant prediction."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mtlaerial.config import Task
from mtlaerial.config.class_names import untrained_classes
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import Statistics

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
    yield from _validation_faults(row) if validated else _loss_faults(row, plan, statistics)


def _validation_faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    overall, majority = row.get("val_OA"), row.get("constant_OA")
    if overall is not None and majority is not None and _exceeds(100 * majority, 100 * overall):
        baseline = "that of the most frequent class of the training tiles"
        yield "semantics", f"the validation OA of {100 * overall:.3g} % is below {100 * majority:.3g} %, {baseline}"
    error, median = row.get("val_MAE"), row.get("constant_MAE")
    if error is not None and median is not None and _exceeds(error, median):
        baseline = "that of the median height of the training tiles"
        yield "height", f"the validation MAE of {error:.3g} m is above {median:.3g} m, {baseline}"


def _exceeds(number: float, bound: float) -> bool:
    """Tell whether a number is above another as both are printed; one that is not a number is above any."""
    return not number <= bound and f"{number:.3g}" != f"{bound:.3g}"


def _loss_faults(row: Mapping[str, Any], plan: RunPlan, statistics: Statistics) -> Iterator[Fault]:
    untrained = untrained_classes(plan.training)
    present = sum(entry.pixels > 0 for entry in statistics.classes if entry.name not in untrained)
    entropy = row.get("loss_semantics")
    if entropy is not None and present and _exceeds(entropy, math.log(present)):
        guess = math.log(present)
        baseline = "that of equal class probabilities"
        yield "semantics", f"the training loss of semantics of {entropy:.3g} is above {guess:.3g}, {baseline}"
    loss, height = row.get("loss_height"), statistics.height
    if loss is None or height is None:
        return
    # The mean distance from the median is at most the standard deviation. That of the heights above 0, where only
    # these are trained on, is not measured; their maximum bounds it.
    bound, name = (height.std, "standard deviation") if statistics.zero_height else (height.maximum, "maximum")
    metres = loss * plan.training.height_unit
    if _exceeds(metres, bound):
        yield "height", f"the training loss of height of {metres:.3g} m is above {bound:.3g} m, the heights' {name}"
