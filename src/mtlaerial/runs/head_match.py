"""Height heads of a run and of a training that takes its weights: whether they mean the same."""

from pathlib import Path
from typing import Any

from mtlaerial.config import TrainingSpec
from mtlaerial.config.height_head import BinsSpec, head_name
from mtlaerial.config.tasks import tasks_with
from mtlaerial.errors import ConfigError
from mtlaerial.runs.plan import RunPlan

_INDIFFERENT = {"softness"}
"""Keys of bins that decide no scores of bins: those of the labels that they are trained by."""


def head_meaning(training: TrainingSpec) -> dict[str, Any]:
    """Return what decides the heights of given outputs of a network, as plain data."""
    head = training.height_head
    if isinstance(head, BinsSpec):
        return head.model_dump(mode="json", exclude=_INDIFFERENT)
    return {"name": head, "non_negative": training.height_non_negative, "height_unit": training.height_unit}


def require_same_heights(folder: Path, source: RunPlan, plan: RunPlan) -> None:
    """Refuse a run whose height outputs mean something else than those of a new training.

    The unit of a linear head may differ, see :func:`unit_factor`.

    Parameters
    ----------
    folder : Path
        Of the run, for the message.
    source, plan : RunPlan
        Of the run and of the new training.

    Raises
    ------
    ConfigError
    """
    meanings = head_meaning(source.training), head_meaning(plan.training)
    same = meanings[0] == meanings[1] or unit_factor(source.training, plan.training) != 1
    if same or not tasks_with("heights", plan.tasks):
        return
    observed, expected = (_words(meaning) for meaning in meanings)
    remedy = "Write the run's keys into training, or pretrained.parts: trunk, so that the heads begin at random."
    raise ConfigError(f"{folder}, training.height_head", observed, f"{expected}, as parts is all", remedy)


def unit_factor(run: TrainingSpec, training: TrainingSpec) -> float:
    """Return the factor of a linear head's outputs that gives the same metres in another unit; 1 for other heads."""
    both = run, training
    if any(head_name(each.height_head) != "linear" or each.height_non_negative for each in both):
        return 1.0
    return run.height_unit / training.height_unit


def _words(meaning: dict[str, Any]) -> str:
    """Return a meaning in words, such as ``log1p (non_negative False, height_unit 5)``."""
    keys = ", ".join(f"{key} {value}" for key, value in meaning.items() if key != "name")
    return f"{meaning['name']} ({keys})"
