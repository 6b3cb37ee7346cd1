"""Runs whose weights were imported: what is known of them, and ``run.yaml`` without an invented training.

In memory such a run has a plan like any other, whose seed, weighting and training are placeholders. The file says
``not known`` in their place.
"""

from collections.abc import Mapping
from typing import Any

from mtlaerial.config import Section

NOT_KNOWN = "not known"
_INITIAL_WEIGHTS = ("pretrained", "initialisation")
"""Keys of ``plan.model`` that say what the training began with."""


class Original(Section):
    """Facts about a checkpoint of the original."""

    checkpoint: dict[str, Any] = {}
    """Plain values beside its weights, by the names that the file gives them: its epoch, its method and such."""
    channels: tuple[int, ...] = ()
    """The file's output channel of each class, counted from 0; on DFC2018 these are the codes of the labels."""

    @property
    def text(self) -> str:
        """The checkpoint's plain values in one line; ``not known`` without any."""
        values = [f"{name} {_shown(value)}" for name, value in self.checkpoint.items()]
        return ", ".join(values) or NOT_KNOWN


def without_training(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of an imported run's ``run.yaml``, which leave open how it was trained."""
    plan = entries["plan"]
    training = {"height_unit": plan["training"]["height_unit"], "recipe": NOT_KNOWN}
    model = {**plan["model"], **dict.fromkeys(_INITIAL_WEIGHTS, NOT_KNOWN)}
    changes = {"seed": NOT_KNOWN, "weighting": NOT_KNOWN, "model": model, "training": training}
    remaining = {key: value for key, value in entries.items() if key not in ("epoch", "identity", "validation")}
    return {**remaining, "plan": {**plan, **changes}}


def with_placeholders(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return entries of ``run.yaml`` as a description of runs needs them; what is damaged stays as it is."""
    plan = entries.get("plan")
    if not entries.get("imported") or not isinstance(plan, Mapping):
        return dict(entries)
    changes: dict[str, Any] = {}
    changes |= {"seed": 0} if plan.get("seed") == NOT_KNOWN else {}
    changes |= {"weighting": {}} if plan.get("weighting") == NOT_KNOWN else {}
    for key, unknown in (("model", _INITIAL_WEIGHTS), ("training", ("recipe",))):
        section = plan.get(key)
        if isinstance(section, Mapping):
            placed = [name for name in unknown if section.get(name) == NOT_KNOWN]
            changes[key] = {name: value for name, value in section.items() if name not in placed}
    return {"epoch": 0, **entries, "plan": {**plan, **changes}}


def invents_training(entries: Mapping[str, Any]) -> bool:
    """Tell whether entries of ``run.yaml`` are those of an imported run with a training that nobody knows of."""
    plan = entries.get("plan")
    return bool(entries.get("imported")) and isinstance(plan, Mapping) and plan.get("seed") != NOT_KNOWN


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
