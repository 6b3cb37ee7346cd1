"""Marks of methods whose network, amount of training, recipe or prediction differs from the others' of a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.weighting import batches_per_update
from mtlaerial.scoring.scores import Scores

MACHINE_KEYS = {
    *(
        f"training.{key}"
        for key in ("accelerator", "threads", "compile", "cuda_graphs", "checkpointing", "channels_last", "log_every")
    ),
    "prediction.batch",
    "prediction.image_maps",
    "prediction.height_encoding",
    "prediction.negative_heights",
}
"""Keys that change results by rounding only, or not at all."""
SHARE = "training.labelled"
"""Key of the part of the truth that a training uses."""
SECTIONS = {
    SHARE,
    "training.class_weights",
    "training.score_weights",
    "training.semantic_loss",
    "training.height_head",
    "model.context",
    "model.pretrained",
}
"""Keys whose sections are compared as one value: other recipes have a name there, or nothing."""
LEFT_OUT: dict[str, Any] = {SHARE: "all", "training.truth_patches": 0, "prediction.engine": "torch"}
"""Values of keys that plain data leave out where they are not stated."""
INITIAL = {"model.pretrained", "model.initialisation"}
"""Keys of the weights that a training begins with, which imported weights do not tell."""
BUDGET = "training pixels"
"""Key of the pixels that a training sees, repeated ones too."""
Recipe = Mapping[str, Any]
"""Values of a training by key, such as ``training.patch``."""


@dataclass(frozen=True)
class Mark:
    """Mark of a row, and the note that explains it."""

    letter: str
    difference: str

    @property
    def of_share(self) -> bool:
        """Whether the part of the truth that is used is all that differs."""
        return self.difference.startswith(f"{SHARE} ") and ";" not in self.difference


def marks(runs: Sequence[Scores]) -> dict[str, Mark]:
    """Return the marks of the methods that differ from most of a data set's methods.

    Parameters
    ----------
    runs : sequence of Scores
        All runs on one data set. Of the runs of a method, the first is compared.

    Returns
    -------
    dict of method to Mark
        Empty where all agree. What most methods have is taken as usual; of values that are as frequent, that of the
        first method.
    """
    first, recipes = {run.method: run for run in reversed(runs)}, first_recipes(runs)
    usual = usual_recipe(list(recipes.values()))
    differences = {method: _difference(first[method], recipe, usual) for method, recipe in recipes.items()}
    marked = [(method, text) for method, text in differences.items() if text]
    return {method: Mark(_letter(index), text) for index, (method, text) in enumerate(marked)}


def change(run: Scores, baseline: Scores) -> str:
    """Return what a run does otherwise than another one, by the keys that both have; empty if nothing differs."""
    return _difference(run, _recipe(run), _recipe(baseline))


def first_recipes(runs: Sequence[Scores]) -> dict[str, Recipe]:
    """Return the recipe of the first run of each method whose network is known, in the order of the runs."""
    first = {run.method: run for run in reversed(runs)}
    methods = dict.fromkeys(run.method for run in runs)
    return {method: _recipe(first[method]) for method in methods if first[method].network}


def _letter(index: int) -> str:
    """Return the letter of a number from 0: a to z, then aa, ab and so on."""
    rest, last = divmod(index, len(ascii_lowercase))
    return (_letter(rest - 1) if rest else "") + ascii_lowercase[last]


def _recipe(run: Scores) -> Recipe:
    """Return the decisive keys of network and prediction, and of the training if it is known."""
    sections = {}
    if run.network:
        sections["model"] = decisive("train", run.network, "models.*")
    if run.training:
        sections["training"] = decisive("train", run.training, "training")
    if run.prediction:
        sections["prediction"] = decisive("predict", run.prediction, "prediction")
    left_out = MACHINE_KEYS if run.training else MACHINE_KEYS | INITIAL
    recipe = {key: value for key, value in _flat(sections).items() if key not in left_out}
    recipe = {**LEFT_OUT, **recipe} if run.training else recipe
    budget = _budget(run)
    return recipe if budget is None else {**recipe, BUDGET: budget}


def _flat(values: Recipe, prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and f"{prefix}{key}" in SECTIONS:
            flat[f"{prefix}{key}"] = tuple(f"{name} {_short(part)}" for name, part in sorted(_flat(value).items()))
        elif isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = tuple(value) if isinstance(value, list) else value
    return flat


def _budget(run: Scores) -> int | None:
    """Return the number of pixels that a training sees: updates x batches x patches of a batch x area of a patch.

    None where the recipe is not known, or the weighting, of another package, is not installed.
    """
    training, batches = run.training, batches_per_update(run.weighting)
    if training is None or run.updates is None or batches is None:
        return None
    return run.updates * batches * training.batch * training.patch**2


def usual_recipe(recipes: Sequence[Recipe]) -> Recipe:
    """Return the most frequent value of each key; of equally frequent ones the first."""
    keys = dict.fromkeys(key for recipe in recipes for key in recipe)
    return {key: Counter(r[key] for r in recipes if key in r).most_common(1)[0][0] for key in keys}


def _difference(run: Scores, recipe: Recipe, usual: Recipe) -> str:
    """Return what differs of the keys that both have, as text; empty if nothing does."""
    imported = run.network and not run.training
    parts = ["imported: recipe and training tiles not known"] if imported else []
    if run.training and BUDGET not in recipe:
        parts.append(f"{BUDGET} not known, as its weighting {run.weighting} is not installed")
    for key, value in recipe.items():
        if value != usual.get(key, value) and key != BUDGET:
            parts.append(f"{key} {recipe_value(value)} instead of {recipe_value(usual[key])}")
    if BUDGET in recipe and recipe[BUDGET] != usual.get(BUDGET, recipe[BUDGET]):
        batches = batches_per_update(run.weighting) or 1
        several = f"; {batches} batches per update" if batches > 1 else ""
        parts.append(
            f"{recipe[BUDGET] / usual[BUDGET]:.3g} times the {BUDGET} (updates x batch x area of a patch{several})"
        )
    return "; ".join(parts)


def recipe_value(value: Any) -> str:
    """Return a value of a recipe as text."""
    return (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else str(value)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
