"""Record of the recipe that a run was trained by: its name, a hash of its keys, and the keys that were changed."""

from collections.abc import Mapping
from typing import Any

from mtlaerial.config import ModelSpec, PredictionSpec, ProjectConfig, Recipe, Section, TrainingSpec, merge
from mtlaerial.config.decisive_keys import decisive, flat_keys
from mtlaerial.config.recipe_overlay import RecipeOverlay
from mtlaerial.runs.plan import RunPlan, fingerprint

LISTED = 3
"""Changed keys that a text names."""
_SECTIONS = ("training", "prediction", "scoring")


class RecipeRecord(Section):
    """The recipe of a run, as ``run.yaml`` has it."""

    name: str
    sha256: str
    """Hash of the keys of the recipe that decide results: of two recipes with one name it tells that they differ."""
    changed: tuple[str, ...] = ()
    """Keys of network, training and prediction that are not as the recipe has them; keys that it does not state count
    as their defaults."""

    @property
    def text(self) -> str:
        """The name, and the changed keys.

        >>> RecipeRecord(name="compact", sha256="0", changed=("training.epochs",)).text
        'compact, but for training.epochs'
        """
        more = len(self.changed) - LISTED
        further = f" and {more} more keys" if more > 0 else ""
        changes = ", ".join(self.changed[:LISTED]) + further
        return f"{self.name}, but for {changes}" if changes else self.name


class _Content(Section):
    """The sections of a recipe's file that decide results."""

    model: str | None = None
    models: dict[str, ModelSpec] = {}
    training: TrainingSpec = TrainingSpec()
    prediction: PredictionSpec = PredictionSpec()


def recipe_record(config: ProjectConfig, plan: RunPlan) -> RecipeRecord | None:
    """Return the record of the recipe in force for a run; None without a recipe.

    Parameters
    ----------
    config : ProjectConfig
    plan : RunPlan
        Of a method of the configuration.

    Raises
    ------
    ConfigError
        When the recipe's file has a key that is unknown or wrong.
    """
    method = config.methods[plan.method]
    overlay = method.recipe or config.recipe_overlay
    if overlay is None:
        return None
    content = _content(overlay, ())
    of_method = content if method.recipe else _content(overlay, tuple(filter(None, (method.trained_as, plan.method))))
    model_name = method.model.removeprefix(f"{overlay.name}.") if method.recipe else method.model
    if model_name not in content.models:
        model_name = content.model or ""
    expected = _decisive(content.models.get(model_name), of_method.training, of_method.prediction)
    actual = _decisive(plan.model, plan.training, plan.prediction)
    digest = fingerprint(_all_keys(overlay, content))
    return RecipeRecord(name=overlay.name, sha256=digest, changed=_changes(expected, actual))


def _changes(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys that differ; of networks of other kinds ``model`` alone."""
    changed = [key for key in {**expected, **actual} if expected.get(key) != actual.get(key)]
    if {"model.name", "model.encoder", "model.encoder.name"}.intersection(changed):
        changed = ["model", *(key for key in changed if not key.startswith("model."))]
    return tuple(changed)


def _content(overlay: RecipeOverlay, methods: tuple[str, ...]) -> _Content:
    """Return the sections of a recipe, changed by its overrides of some methods."""
    where = f"recipe {overlay.name}"
    described = overlay.keys.get("methods") or {}
    overrides = [described[name].get("overrides") or {} for name in methods if name in described]
    stated = {key: overlay.keys[key] for key in _SECTIONS if key in overlay.keys}
    recipe = Recipe.parse(merge(stated, *overrides), where)
    networks: dict[str, Any] = {key: overlay.keys[key] for key in ("model", "models") if key in overlay.keys}
    content = _Content.parse(networks, where)
    return content.model_copy(update={"training": recipe.training, "prediction": recipe.prediction})


def _decisive(model: Any, training: TrainingSpec, prediction: PredictionSpec) -> dict[str, Any]:
    """Return the keys that decide weights and maps, with dots; none of a network that is not known."""
    sections = {
        "model": decisive("train", model, "models.*") if model else {},
        "training": decisive("train", training, "training"),
        "prediction": decisive("predict", prediction, "prediction"),
    }
    return dict(flat_keys(sections))


def _all_keys(overlay: RecipeOverlay, content: _Content) -> Mapping[str, Any]:
    networks = {name: decisive("train", model, "models.*") for name, model in content.models.items()}
    recipe = _decisive(None, content.training, content.prediction)
    return {"recipe": recipe, "models": networks, "model": content.model, "methods": overlay.keys.get("methods")}
