"""Methods: the rows of the tables."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mtlaerial.config.annotations import FOLDER_NAME
from mtlaerial.config.base import Section
from mtlaerial.config.ensemble import EnsembleSpec, median_of_nothing
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.recipe_overlay import Overlay
from mtlaerial.config.tasks import Task, require_distinct_maps, tasks_with
from mtlaerial.config.weighting import WeightingSpec

Name = Annotated[str, Field(pattern=FOLDER_NAME)]
"""Names become folders: letters, digits, dot, dash and underscore."""


class MethodSpec(Section):
    """A row of the tables: tasks, network and weighting of a training, another prediction of one, or an ensemble."""

    trained_as: Name | None = None
    """Method whose trained weights this one uses; it changes ``prediction`` and ``scoring`` alone."""
    ensemble: EnsembleSpec | None = None
    """Methods whose networks predict together; it has their tasks, and changes ``prediction`` and ``scoring`` alone."""
    tasks: Annotated[tuple[Task, ...], Field(min_length=1)]
    """Tasks to learn, each once: semantics, height, or others that are registered."""
    weighting: WeightingSpec = WeightingSpec()
    """Combination of the tasks' losses to one update."""
    model: Name = ""
    """A name from ``models``; the configuration's ``model`` where it is not stated."""
    recipe: Overlay | None = None
    """Name of a recipe of its own: its network, its sections ``training`` and ``prediction`` in place of the
    configuration's, and its ``scoring`` over the configuration's."""
    overrides: dict[str, Any] = {}
    """Changes to ``training``, ``prediction`` and ``scoring``, with ``trained_as`` after those of the trained
    method."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.tasks)) != len(self.tasks):
            raise Unfit("tasks", ", ".join(self.tasks), "each task once", "Remove one.")
        require_distinct_maps(self.tasks)
        if self.ensemble and self.ensemble.heights != "mean" and not tasks_with("heights", self.tasks):
            raise median_of_nothing("ensemble.heights")
        return self


def take_over(methods: Mapping[str, Any]) -> dict[str, Any]:
    """Copy tasks, weighting and model of the trained method to methods with ``trained_as``.

    Parameters
    ----------
    methods : mapping
        As read from YAML.

    Raises
    ------
    Unfit
        When there is no such trained method, or an entry changes the training.
    """
    return {name: _completed(name, entry, methods) for name, entry in methods.items()}


def _completed(name: str, entry: Any, methods: Mapping[str, Any]) -> Any:
    if not isinstance(entry, Mapping) or not entry.get("trained_as"):
        return entry
    trained = entry["trained_as"]
    base = methods.get(trained) if isinstance(trained, str) else None
    if not isinstance(base, Mapping) or base.get("trained_as") or base.get("ensemble"):
        remedy = did_you_mean(str(trained), methods, "Name a method without trained_as.")
        raise Unfit(f"methods.{name}.trained_as", repr(trained), "a method that is trained itself", remedy)
    if changed := sorted({"tasks", "weighting", "model", "recipe"} & set(entry)):
        raise retrained(f"methods.{name}", changed, trained)
    overrides = entry.get("overrides") or {}
    if isinstance(overrides, Mapping) and "training" in overrides:
        raise retrained(f"methods.{name}", ["overrides.training"], trained)
    return {**base, **entry, "overrides": overrides}


def with_model(methods: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Return the methods, as :func:`take_over` returns them, with the given network where they have none."""
    without = [name for name, entry in methods.items() if isinstance(entry, Mapping) and entry.get("model") is None]
    completed = {name: {**methods[name], "model": model} for name in without}
    return {**methods, **completed} if model is not None else dict(methods)


def require_model(methods: Mapping[str, MethodSpec]) -> None:
    """Refuse a method without a network.

    Raises
    ------
    Unfit
    """
    for name, method in methods.items():
        if not method.model:
            remedy = "State model: NAME for this method, or at the top for all that name none."
            raise Unfit(f"methods.{name}.model", "nothing", "the name of a network of the section models", remedy)


def retrained(place: str, keys: Sequence[str], trained: str) -> Unfit:
    """Return the fault of a method with ``trained_as`` that changes its training."""
    expected = f"changes of prediction and scoring alone, as it is trained as {trained}"
    return Unfit(place, f"the keys {', '.join(keys)}", expected, "Remove them.")
