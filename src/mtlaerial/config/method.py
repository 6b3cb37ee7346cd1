"""Methods: the rows of the tables."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator

from mtlaerial.config.base import Section, merge
from mtlaerial.config.recipe import Task

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""Names become folders: letters, digits, dot, dash and underscore."""


class WeightingSpec(Section):
    """How the tasks' losses become one update; see :mod:`mtlaerial.weighting`."""

    name: Literal["equal", "fixed", "feature_normalisation", "mgda", "mgda_ub", "gradnorm", "gradient_penalty"] = (
        "equal"
    )
    weights: dict[Task, PositiveFloat] = {}
    """For ``fixed``: each task's weight."""
    alpha: NonNegativeFloat = 1.5
    """For ``gradnorm``: how strongly tasks that train slowly are favoured."""
    learning_rate: PositiveFloat = 0.025
    """For ``gradnorm``: of its weights."""
    strength: NonNegativeFloat = 1.0
    """For ``gradient_penalty``: the penalty's weight."""

    @model_validator(mode="after")
    def _only_its_own(self) -> Self:
        owners = {"weights": "fixed", "alpha": "gradnorm", "learning_rate": "gradnorm", "strength": "gradient_penalty"}
        for key, owner in owners.items():
            if self.name != owner and getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} only with {owner}, not with {self.name}")
        return self


class MethodSpec(Section):
    """A row of the tables: what is learned, by which network, with which weighting; or another prediction of that."""

    trained_as: Name | None = None
    """The method whose trained weights this one takes; it changes ``prediction`` and ``scoring`` alone."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, max_length=2)]
    weighting: WeightingSpec = WeightingSpec()
    model: Name
    overrides: dict[str, Any] = {}
    """What this method changes in ``training``, ``prediction`` and ``scoring``."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.tasks)) != len(self.tasks):
            raise ValueError("each task once in tasks")
        if self.weighting.name == "fixed" and set(self.weighting.weights) != set(self.tasks):
            raise ValueError(f"weighting.weights for exactly the tasks {', '.join(self.tasks)}")
        return self


def take_over(methods: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in what methods with ``trained_as`` take over: tasks, weighting, model and overrides.

    Parameters
    ----------
    methods : mapping
        As read from YAML.

    Raises
    ------
    ValueError
        When there is no such trained method, or the training is to be another.
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
