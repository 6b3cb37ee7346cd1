"""Recipes that methods name: their files are checked as those of the configuration are, and a note names idle keys."""

from collections.abc import Collection, Iterator, Mapping

from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.method import MethodSpec
from mtlaerial.config.recipe_overlay import RecipeOverlay
from mtlaerial.errors import ConfigError

APPLIED = ("model", "models", "training", "prediction", "scoring")
"""Keys of a recipe that apply to a method that names it."""


def require_known_keys(methods: Mapping[str, MethodSpec], known: Collection[str]) -> None:
    """Refuse a recipe with a key that no configuration has.

    Parameters
    ----------
    methods : mapping of name to MethodSpec
    known : collection of str
        Keys of a configuration.

    Raises
    ------
    ConfigError
    """
    for _, recipe in _named(methods):
        for key in recipe.keys:
            if key not in known:
                place = f"recipe {recipe.name}, key {key}"
                remedy = did_you_mean(key, known, "Remove it.")
                raise ConfigError(place, "an unknown key", f"one of {', '.join(known)}", remedy)


def recipe_notes(methods: Mapping[str, MethodSpec], selected: Collection[str]) -> list[str]:
    """Return a sentence on each recipe with keys that do not apply to the selected methods that name it.

    Parameters
    ----------
    methods : mapping of name to MethodSpec
    selected : collection of str
        Names of the methods that run.
    """
    notes = []
    for name, recipe in _named({name: methods[name] for name in selected}):
        if idle := [key for key in recipe.keys if key not in APPLIED]:
            keys = f"the key {idle[0]}" if len(idle) == 1 else f"the keys {', '.join(idle)}"
            where = f"{keys} of the recipe {recipe.name}, which {'apply' if len(idle) > 1 else 'applies'}"
            notes.append(f"Left out of {name}: {where} only where it is the recipe of the configuration.")
    return notes


def _named(methods: Mapping[str, MethodSpec]) -> Iterator[tuple[str, RecipeOverlay]]:
    yield from ((name, method.recipe) for name, method in methods.items() if method.recipe)
