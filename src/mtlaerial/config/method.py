"""Methods: the rows of the tables."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section, merge
from mtlaerial.config.recipe import Task
from mtlaerial.config.weighting import WeightingSpec

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""Names become folders: letters, digits, dot, dash and underscore."""


class MethodSpec(Section):
    """A row of the tables: tasks, network and weighting of a training, or another prediction of one."""

    trained_as: Name | None = None
    """Method whose trained weights this one uses; it changes ``prediction`` and ``scoring`` alone."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, max_length=2)]
    weighting: WeightingSpec = WeightingSpec()
    model: Name
    overrides: dict[str, Any] = {}
    """Changes to ``training``, ``prediction`` and ``scoring``."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.tasks)) != len(self.tasks):
            raise ValueError("each task once in tasks")
        return self


def take_over(methods: Mapping[str, Any]) -> dict[str, Any]:
    """Copy tasks, weighting, model and overrides of the trained method to methods with ``trained_as``.

    Parameters
    ----------
    methods : mapping
        As read from YAML.

    Raises
    ------
    ValueError
        When there is no such trained method, or an entry changes the training.
    """
    return {name: _completed(name, entry, methods) for name, entry in methods.items()}


def _completed(name: str, entry: Any, methods: Mapping[str, Any]) -> Any:
    if not isinstance(entry, Mapping) or not entry.get("trained_as"):
        return entry
    trained = entry["trained_as"]
    base = methods.get(trained) if isinstance(trained, str) else None
    if not isinstance(base, Mapping) or base.get("trained_as"):
        raise ValueError(f"methods.{name}.trained_as to name a method that is trained itself; {trained} is none")
    overrides, taken = entry.get("overrides") or {}, base.get("overrides") or {}
    if not isinstance(overrides, Mapping) or not isinstance(taken, Mapping):
        return {**base, **entry}  # the fields' own check says what is wrong
    if {"tasks", "weighting", "model"} & set(entry) or "training" in overrides:
        raise ValueError(f"methods.{name} to change prediction and scoring alone: it is trained as {trained}")
    return {**base, **entry, "overrides": merge(taken, overrides)}
