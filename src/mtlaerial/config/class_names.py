"""Names of classes in a recipe: their weights in the loss, those that scores leave out, and what else they decide."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.labelled import patches_per_layer
from mtlaerial.config.project import ProjectConfig
from mtlaerial.config.recipe import Recipe
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.config.scoring import ScoringSpec
from mtlaerial.config.start import StartSpec
from mtlaerial.config.training import TrainingSpec
from mtlaerial.errors import ConfigError


def recipe_on(
    config: ProjectConfig, dataset: str, spec: DatasetSpec, method: str | None = None, entry: str | None = None
) -> Recipe:
    """Return the recipe in force for a data set and a method, whose names of classes are the data set's.

    Parameters
    ----------
    config : ProjectConfig
    dataset : str
        Name of the data set or fold, for messages.
    spec : DatasetSpec
        Its specification.
    method : str, optional
        A method of the configuration.
    entry : str, optional
        The data set's name in the configuration, whose changes of the recipe apply.

    Raises
    ------
    ConfigError
        When an override has an unknown key or a wrong value, the recipe names classes that are not the data set's, or
        a batch has too few patches for ``truth_patches``.
    """
    recipe = recipe_in_force(config, spec.recipe, method, entry)
    place = f"{method} on {dataset}" if method else dataset
    require_class_weights(recipe.training, spec, place)
    require_scored_classes(recipe.scoring, spec, place)
    if method and not config.methods[method].ensemble:
        learned = tuple(filter(spec.has_truth, config.methods[method].tasks))
        patches_per_layer(recipe.training.truth_patches, recipe.training.batch, learned)
    return recipe


def weights_by_name(training: TrainingSpec, classes: Sequence[str]) -> tuple[float, ...] | None:
    """Return the weights of classes in their order, or None where ``training.class_weights`` names a rule instead."""
    weights = training.class_weights
    return None if isinstance(weights, str) else tuple(weights[name] for name in classes)


def decisive_names(training: TrainingSpec, start: StartSpec | None, classes: Sequence[str]) -> dict[str, list[Any]]:
    """Return what names of classes decide of a training: weights in the loss, and channels that come from another run.

    Elsewhere names decide nothing, so that one can be corrected without another training.

    Parameters
    ----------
    training : TrainingSpec
    start : StartSpec or None
        Initial weights of the network.
    classes : sequence of str
        Names of the classes, in their order.
    """
    decisions: dict[str, list[Any]] = {}
    if (weights := weights_by_name(training, classes)) is not None:
        decisions["class_weights"] = list(weights)
    if start and start.parts == "all":  # each class takes the channel of its namesake
        decisions["class_names"] = list(classes)
    return decisions


def untrained_classes(training: TrainingSpec) -> tuple[str, ...]:
    """Return the classes that have the weight 0 by name, which are never trained."""
    weights = {} if isinstance(training.class_weights, str) else training.class_weights
    return tuple(name for name, weight in weights.items() if weight == 0)


def left_out_classes(scoring: ScoringSpec, training: TrainingSpec | None) -> tuple[str, ...]:
    """Return the classes that a second set of scores leaves out: those of ``scoring``, else those never trained.

    Parameters
    ----------
    scoring : ScoringSpec
    training : TrainingSpec or None
        None where it is unknown, as of imported weights.
    """
    if scoring.without_classes is not None:
        return scoring.without_classes
    return untrained_classes(training) if training else ()


def require_class_weights(training: TrainingSpec, spec: DatasetSpec, place: str) -> None:
    """Refuse weights by name that are not one of each class, or all 0.

    Parameters
    ----------
    training : TrainingSpec
    spec : DatasetSpec
    place : str
        The data set, or a method on it, for the message.

    Raises
    ------
    ConfigError
    """
    if isinstance(training.class_weights, str):
        return
    key, weights, classes = "training.class_weights", training.class_weights, spec.class_names
    _require_classes(key, weights, classes, place)
    missing = ", ".join(name for name in classes if name not in weights)
    if missing:
        expected = f"a weight for each of the classes {', '.join(classes)}"
        remedy = "Add it; a class of weight 0 is never trained."
        raise ConfigError(key, f"no weight of {missing} for {place}", expected, remedy)
    if not any(weights.values()):
        expected = "a weight above 0 for at least one class"
        raise ConfigError(key, f"only zeros for {place}", expected, "Correct the weights.")


def require_scored_classes(scoring: ScoringSpec, spec: DatasetSpec, place: str) -> None:
    """Refuse to leave out of the scores, or to put into sets, what is no class of a data set; and to leave out all.

    Raises
    ------
    ConfigError
    """
    key, names = "scoring.without_classes", scoring.without_classes or ()
    _require_classes(key, names, spec.class_names, place)
    _require_classes("scoring.class_sets", chain(*scoring.class_sets.values()), spec.class_names, place)
    if names and set(spec.class_names) <= set(names):
        raise ConfigError(key, f"all classes of {place}", "at least one class left to score", "Remove one of them.")


def _require_classes(key: str, names: Iterable[str], classes: Sequence[str], place: str) -> None:
    """Refuse the first name that is no class."""
    unknown = [name for name in names if name not in classes]
    if unknown:
        expected = f"names of its classes ({', '.join(classes)})" if classes else "no names, as it has no labels"
        remedy = did_you_mean(unknown[0], classes, "Remove the name.")
        raise ConfigError(key, f"{unknown[0]!r} for {place}", expected, remedy)
