"""Ensembles among the methods: rows whose maps are averages over the networks of other methods."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.names import require_once

TAKEN = ("tasks", "weighting", "model", "recipe", "trained_as")
"""Keys of a method that an ensemble has from its members."""

Average = Literal["mean", "median"]
"""An average over networks."""


class EnsembleSpec(Section):
    """Several trained networks as one: class scores and heights are averages over them, in one pass over the raster."""

    members: Annotated[tuple[str, ...], Field(min_length=1)]
    """Methods that are trained themselves; they are trained even if ``run.methods`` does not select them."""
    seeds: Literal["each", "all"] = "each"
    """each: the ensemble of a seed has the members' runs of that seed, so that the row has a deviation over seeds. all:
    one ensemble of the members' runs of all seeds, whose row has one map, under the first seed, and no deviation."""
    heights: Average = "mean"
    """The average over the networks that heights, and values of further tasks, are. A median does not follow a single
    network that is far off; of two networks it is their mean."""

    @model_validator(mode="after")
    def _each_member_once(self) -> Self:
        require_once("members", self.members)
        return self


def join_members(methods: Mapping[str, Any]) -> dict[str, Any]:
    """Give ensembles the tasks that at least one member learns, and weighting and model of the first member.

    A recipe is that of the ensemble where all members name it. Overrides of members are none of the ensemble's.

    Parameters
    ----------
    methods : mapping
        As read from YAML.

    Raises
    ------
    Unfit
        When a member is no method that is trained itself, or an entry changes the training.
    """
    return {name: _joined(name, entry, methods) for name, entry in methods.items()}


def only_predicts(place: str, found: str) -> Unfit:
    """Return the fault of an ensemble that changes a training."""
    expected = "changes of prediction and scoring alone, as an ensemble has its members' trainings"
    return Unfit(place, found, expected, "Remove it, or change the training of the members.")


def median_of_nothing(place: str) -> Unfit:
    """Return the fault of an ensemble with a median of heights that no member learns."""
    return Unfit(place, "median", "mean, as no member learns heights", "Remove it, or add a member with heights.")


def _joined(name: str, entry: Any, methods: Mapping[str, Any]) -> Any:
    ensemble = entry.get("ensemble") if isinstance(entry, Mapping) else None
    if ensemble is None:
        return entry
    if stated := [key for key in TAKEN if key in entry]:
        expected = "ensemble and overrides alone, as the members have these"
        raise Unfit(f"methods.{name}", f"the keys {', '.join(stated)}", expected, "Remove them.")
    overrides = entry.get("overrides")
    if isinstance(overrides, Mapping) and "training" in overrides:
        raise only_predicts(f"methods.{name}", "the key overrides.training")
    names = _texts(ensemble.get("members") if isinstance(ensemble, Mapping) else None)
    members = [_member(name, member, methods) for member in names]
    tasks = dict.fromkeys(task for member in members for task in _texts(member.get("tasks")))
    if not tasks:  # the models say what is wrong with the lists
        return {**entry, "tasks": ["height"], "model": "none"}
    first = members[0].get("recipe")
    recipe = first if all(member.get("recipe") == first for member in members) else None
    return {**members[0], "tasks": list(tasks), "recipe": recipe, "overrides": {}, **entry}


def _texts(values: Any) -> list[str]:
    """Return the texts of a list as read from YAML; none of anything else."""
    return [value for value in values if isinstance(value, str)] if isinstance(values, list | tuple) else []


def _member(name: str, member: str, methods: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entry of a member; refuse one that is not trained itself."""
    key, entry = f"methods.{name}.ensemble.members", methods.get(member)
    expected = "methods that are trained themselves"
    if not isinstance(entry, Mapping):
        raise Unfit(key, repr(member), expected, did_you_mean(member, methods, "Describe it, or correct the name."))
    if entry.get("ensemble"):
        raise Unfit(key, f"{member}, an ensemble", expected, f"List the members of {member} instead.")
    if entry.get("trained_as"):
        trained = entry["trained_as"]
        raise Unfit(key, f"{member}, another prediction of {trained}", expected, f"Write {trained}.")
    return entry
