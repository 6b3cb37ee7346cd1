"""The recipe in force for a method on a data set: the configuration's, with all changes in their order."""

from collections.abc import Mapping
from typing import Any

from mtlaerial.config.base import merge
from mtlaerial.config.engines import require_engine
from mtlaerial.config.predictors import Learner, require_predictor
from mtlaerial.config.project import ProjectConfig
from mtlaerial.config.recipe import Recipe
from mtlaerial.config.require import require_checkpointing, require_dropout, require_multiple, require_overlap


def recipe_in_force(
    config: ProjectConfig, specified: Mapping[str, Any], method: str | None = None, dataset: str | None = None
) -> Recipe:
    """Return the recipe in force: the configuration's, with all changes for a data set and a method.

    Parameters
    ----------
    config : ProjectConfig
    specified : mapping
        The changes by the specification of the data set.
    method : str, optional
        A method of the configuration.
    dataset : str, optional
        A data set of the configuration.

    Raises
    ------
    ConfigError
        When a change has an unknown key or a wrong value.
    """
    changes = {"recipe of the data set": specified, **_changes(config, method, dataset)}
    recipe = _changed(config, method, changes)
    if method:
        stated = [place for place, values in changes.items() if "prediction" in values]
        require_overlap(" or ".join(["prediction", *stated]), recipe.prediction)
        members = config.members(method)
        precisions = [recipe.training.precision] if method in members else []  # members may have others
        require_engine("prediction.", recipe.prediction, precisions)
        for member in members:
            model = config.models[config.methods[member].model]
            require_multiple("prediction.window", recipe.prediction.window, model)
            require_dropout("prediction.dropout_passes", recipe.prediction.dropout_passes, model)
            if member == method:
                require_multiple("training.patch", recipe.training.patch, model)
                require_checkpointing("training.checkpointing", recipe.training.checkpointing, model)
        if recipe.prediction.spread_sources or recipe.prediction.layers:
            require_predictor("prediction.", recipe.prediction, _networks(config, specified, method, dataset))
    return recipe


def _changed(config: ProjectConfig, method: str | None, changes: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Return the recipe of a method with changes by their keys."""
    base = _base(config, method).model_dump(mode="json")
    places = [place for place, values in changes.items() if values]
    return Recipe.parse(merge(base, *changes.values()), " or ".join(places) or "configuration")


def _networks(config: ProjectConfig, specified: Mapping[str, Any], method: str, dataset: str | None) -> list[Learner]:
    """Return the networks by which a method predicts."""
    ensemble = config.methods[method].ensemble
    networks = []
    for member in config.members(method):
        # Without the requirements of its own prediction, which is another one than that of the ensemble.
        recipe = _changed(config, member, {"recipe of the data set": specified, **_changes(config, member, dataset)})
        head = recipe.training.height_head
        networks.append(Learner(f"the method {member}", config.methods[member].tasks, head))
    return networks * (len(config.run.seeds) if ensemble and ensemble.seeds == "all" else 1)


def _base(config: ProjectConfig, method: str | None) -> Recipe:
    """Return the recipe before all changes: the configuration's, or that which a method names."""
    overlay = config.methods[method].recipe if method else None
    if overlay is None:
        return Recipe(training=config.training, prediction=config.prediction, scoring=config.scoring)
    scoring = merge(config.scoring.model_dump(mode="json"), overlay.keys.get("scoring") or {})
    return Recipe.parse({**overlay.sections, "scoring": scoring}, f"recipe {overlay.name}")


def _changes(config: ProjectConfig, method: str | None, dataset: str | None) -> dict[str, Mapping[str, Any]]:
    """Return the configuration's changes of the recipe by their keys, in the order in which they apply.

    A method with ``trained_as`` begins with the changes of the method that trains it.
    """
    changes: dict[str, Mapping[str, Any]] = {}
    entry = config.datasets[dataset] if dataset else None
    if entry:
        changes[f"datasets.{dataset}.recipe"] = entry.recipe
    trained = config.methods[method].trained_as if method else None
    for name in filter(None, (trained, method)):
        changes[f"methods.{name}.overrides"] = config.methods[name].overrides
        if entry:
            changes[f"datasets.{dataset}.overrides.{name}"] = entry.overrides.get(name, {})
    return changes
