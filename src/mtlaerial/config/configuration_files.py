"""The files of a configuration: where each is found, and the shipped configuration below overlays."""

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlaerial.config.file_kinds import read_configuration
from mtlaerial.config.recipe_overlay import merge_files
from mtlaerial.config.workflow_folder import find_in_workflow, workflow_folder

log = logging.getLogger(__name__)
DEFAULT = Path("config/config.yaml")
"""The configuration where none is given: of the working directory, else the shipped one."""
WHOLE = ("run", "datasets", "models", "methods")
"""Keys that a whole configuration has; without one of them it is an overlay of the shipped one."""


def merged_configuration(
    paths: Sequence[Path] = (), recipe: str | None = None, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the merged keys of a configuration, not validated; the last wins.

    The parameters are those of :func:`mtlaerial.config.load_project`.

    Raises
    ------
    ConfigError
        When a file cannot be read or is no configuration, or there is no such recipe.
    """
    return merge_files(configuration_files(paths), settings, recipe, "--set")


def configuration_files(paths: Sequence[Path] = ()) -> list[Path]:
    """Return the files that make up a configuration; the last wins.

    Parameters
    ----------
    paths : sequence of Path, optional
        Configuration and overlays, each from the working directory, else from the workflow's folder; by default
        ``config/config.yaml``. The shipped configuration is put before files that are an overlay of it.

    Raises
    ------
    ConfigError
        When a file cannot be read or is no configuration.
    """
    places = []
    for path in paths or (DEFAULT,):
        places.append(find_in_workflow(path))
        if places[-1] != path:
            log.info("%s is not here: taken from the workflow's folder, %s", path, places[-1])
    keys = {key for place in places for key in read_configuration(place)}
    if is_whole(keys):
        return places
    log.info("%s: read as an overlay of the shipped configuration %s", places[0], shipped_configuration())
    return [shipped_configuration(), *places]


def module_configuration(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merged keys of a module of another Snakefile.

    Parameters
    ----------
    keys : mapping
        What that Snakefile gives; an overlay of the shipped configuration where it is not whole.

    Raises
    ------
    ConfigError
        When there is no such recipe as they name.
    """
    files = [] if is_whole(keys) else [shipped_configuration()]
    return merge_files(files, keys, option="configuration of the module")


def options_of_section(
    section: Mapping[str, Any], configuration: Mapping[str, Any], options: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the options of the command line that are of a section of a configuration; none if it is no part of it.

    Parameters
    ----------
    section : mapping
        The configuration itself, or a mapping in it, which is recognised by its identity.
    configuration, options : mapping
        The configuration, with the options, and the options alone.

    Examples
    --------
    >>> study = {"town": {"run": {"seeds": [0]}}, "threads": 2}
    >>> options_of_section(study["town"], study, {"town": {"results": "out"}})
    {'results': 'out'}
    """
    if section is configuration:
        return options
    for key, part in configuration.items():
        of_part = options.get(key)
        if not isinstance(part, Mapping) or not isinstance(of_part, Mapping):
            continue
        if of_section := options_of_section(section, part, of_part):
            return of_section
    return {}


def is_whole(keys: Collection[str]) -> bool:
    """Tell whether top-level keys are those of a whole configuration.

    Examples
    --------
    >>> is_whole(["run", "datasets", "training"])
    False
    """
    return set(WHOLE) <= set(keys)


def shipped_configuration() -> Path:
    """Return the configuration that comes with the workflow."""
    return workflow_folder() / DEFAULT


def default_configuration() -> Path:
    """Return the configuration where none is given: of the working directory, else the shipped one."""
    return find_in_workflow(DEFAULT)
