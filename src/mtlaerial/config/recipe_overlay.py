"""Recipes by name: overlays in the folder ``recipes`` beside the configuration, one for all methods, or for one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

from mtlaerial.config.base import Section, merge
from mtlaerial.config.faults import Unfit, did_you_mean
from mtlaerial.config.file_kinds import read_configuration
from mtlaerial.config.workflow_folder import workflow_folder
from mtlaerial.errors import ConfigError

KEY = "recipe"
"""Key of the name, in any file of a configuration and in the recipe's own."""
FOLDER = "recipes"


class RecipeOverlay(Section):
    """A recipe that a configuration or a method names: its name and the keys of its file."""

    name: str
    keys: dict[str, Any]
    """Content of the file, without the name."""

    @property
    def sections(self) -> dict[str, Any]:
        """The keys of training and prediction, which stand in place of the configuration's for a method."""
        return {name: self.keys.get(name) or {} for name in ("training", "prediction")}


def _resolved(value: Any) -> Any:
    if isinstance(value, str):
        expected = "a recipe that was read with the files of the configuration, which say where its keys apply"
        remedy = "Read the configuration from files, by mtlaerial.config.load_project or the command line."
        raise Unfit("", repr(value), expected, remedy)
    return value


Overlay = Annotated[RecipeOverlay, BeforeValidator(_resolved, json_schema_input_type=str)]
"""A recipe; in a file the name alone, in place of which :func:`merge_files` puts name and keys."""


class _Layer(NamedTuple):
    """One file of a configuration, or options of the command line."""

    place: str
    keys: Mapping[str, Any]
    stem: str = ""
    """Name of the file without its suffix; empty for options, and for overlays with the name of a recipe."""

    @property
    def is_recipe(self) -> bool:
        """Whether it is a recipe's own file."""
        return bool(self.stem) and self.keys.get(KEY) == self.stem

    @property
    def as_recipe(self) -> dict[str, Any]:
        """Fields of the :class:`RecipeOverlay` of a recipe's own file."""
        return {"name": self.keys[KEY], "keys": {key: value for key, value in self.keys.items() if key != KEY}}

    def network(self, name: Any) -> str:
        """Return the name that a network of the recipe has beside those of the configuration."""
        return f"{self.stem}.{name}"


def merge_files(
    paths: Sequence[Path],
    options: Mapping[str, Any] | None = None,
    recipe: str | None = None,
    option: str = "--config",
) -> dict[str, Any]:
    """Read and merge the files of a configuration; the last wins.

    The last file or option with the key ``recipe`` says which recipe is in force; ``recipe: null`` takes one away. Its
    keys apply just before that file, or where the recipe's own file stands among the others. The files of other recipes
    are left out: of a recipe that is replaced no key remains. Networks that the recipe describes replace those of the
    same names in files before it; all else is merged. A method may name a recipe of its own.

    Parameters
    ----------
    paths : sequence of Path
        The configuration and its overlays. Recipes are looked for in the folder ``recipes`` beside the first; without
        files, among the shipped ones.
    options : mapping, optional
        Keys of the command line, which win over all files and over ``recipe``.
    recipe : str, optional
        Name of a recipe whose keys apply after all files.
    option : str
        The command line's option that ``options`` are from, for messages.

    Returns
    -------
    dict
        The merged keys; under ``recipe`` the fields of a :class:`RecipeOverlay`, or None where the last file that has
        the key names none.

    Raises
    ------
    ConfigError
        When a file cannot be read or is no configuration, or there is no such recipe.
    """
    folder = (paths[0].parent if paths else workflow_folder() / "config") / FOLDER
    layers = [_file_layer(path, folder) for path in paths]
    layers += [_Layer("--recipe", {KEY: recipe})] if recipe is not None else []
    layers += [_Layer(option, options)] if options else []
    naming = [layer for layer in layers if KEY in layer.keys]
    if not naming:
        return _with_recipes_of_methods(merge({}, *(layer.keys for layer in layers)), folder)
    last = naming[-1]
    if last.keys[KEY] is None:
        merged = merge({}, *(layer.keys for layer in layers if not layer.is_recipe))
        return {**_with_recipes_of_methods(merged, folder), KEY: None}
    overlay = last if last.is_recipe else _read_recipe(last, folder)
    merged = {}
    for layer in layers:
        if layer is last:
            merged = merge(_without_models(merged, overlay.keys), overlay.keys)
        if not layer.is_recipe:
            merged = merge(merged, layer.keys)
    return {**_with_recipes_of_methods(merged, folder), KEY: overlay.as_recipe}


def _file_layer(path: Path, folder: Path) -> _Layer:
    """Return a file of a configuration; an overlay beside the recipes may have the name of the recipe that it names."""
    is_overlay = path.parent.name != FOLDER and (folder / path.name).exists()
    return _Layer(str(path), read_configuration(path), "" if is_overlay else path.stem)


def names_recipes(merged: Mapping[str, Any]) -> bool:
    """Tell whether merged keys name a recipe, for all methods or for one."""
    methods = merged.get("methods")
    entries = methods.values() if isinstance(methods, Mapping) else ()
    return KEY in merged or any(isinstance(entry, Mapping) and KEY in entry for entry in entries)


def _with_recipes_of_methods(merged: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return merged keys with the recipes that single methods name, and the networks of these as ``RECIPE.NETWORK``."""
    methods, models = merged.get("methods"), merged.get("models", {})
    if not isinstance(methods, Mapping) or not isinstance(models, Mapping):
        return dict(merged)
    completed = dict(methods)
    for name, entry in methods.items():
        # Other predictions and ensembles have the recipes of the trainings; their own are refused there.
        if isinstance(entry, Mapping) and entry.get(KEY) is not None and _is_trained(entry):
            recipe = _read_recipe(_Layer(f"methods.{name}", entry), folder)
            described = {recipe.network(network): model for network, model in _networks_of(recipe).items()}
            chosen = entry.get("model") or recipe.keys.get("model")
            network = recipe.network(chosen) if recipe.network(chosen) in described else chosen
            models = {**models, **described}
            completed[name] = {**entry, "model": network, KEY: recipe.as_recipe}
    return {**merged, "models": models, "methods": completed}


def _networks_of(recipe: _Layer) -> Mapping[str, Any]:
    """Return the networks that a recipe describes.

    Raises
    ------
    ConfigError
        When its key ``models`` is no section.
    """
    models = recipe.keys.get("models", {})
    if not isinstance(models, Mapping):
        content = "nothing" if models is None else repr(models)
        raise ConfigError(f"{recipe.place}, key models", content, "a section of networks by name", "Correct it.")
    return models


def _is_trained(method: Mapping[str, Any]) -> bool:
    return not method.get("trained_as") and not method.get("ensemble")


def _without_models(merged: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys without the networks that a recipe describes: half of one and half of another would be neither."""
    models, described = merged.get("models"), recipe.get("models")
    if not isinstance(models, Mapping) or not isinstance(described, Mapping):
        return dict(merged)
    return {**merged, "models": {name: model for name, model in models.items() if name not in described}}


def _read_recipe(naming: _Layer, folder: Path) -> _Layer:
    """Return the recipe that a file or an option names.

    Raises
    ------
    ConfigError
    """
    name, names = naming.keys[KEY], sorted(path.stem for path in folder.glob("*.yaml"))
    place = naming.place if naming.place == f"--{KEY}" else f"{naming.place}, key {KEY}"
    if not names:
        remedy = (
            f"Begin with the configuration that has recipes beside it, such as config/config.yaml, or remove {KEY}."
        )
        raise ConfigError(place, repr(name), f"a recipe in the folder {folder}, which has none", remedy)
    if name not in names:
        raise ConfigError(place, repr(name), f"one of {', '.join(names)}", _remedy(name, names))
    path = folder / f"{name}.yaml"
    recipe = _Layer(str(path), read_configuration(path), path.stem)
    if not recipe.is_recipe:
        content = repr(recipe.keys[KEY]) if KEY in recipe.keys else "nothing"
        raise ConfigError(f"{path}, key {KEY}", content, f"{name}, the name of the file", "Correct it.")
    return recipe


def _remedy(name: Any, names: Sequence[str]) -> str:
    """Return what to do about the name of no recipe; one such as ``best`` is the beginning of several."""
    several = [entry for entry in names if entry.startswith(f"{name}-")]
    if several:
        return f"Which one is best depends on machine and time: choose {' or '.join(several)}."
    return did_you_mean(str(name), names, f"A recipe is a file NAME.yaml in the folder {FOLDER}.")
