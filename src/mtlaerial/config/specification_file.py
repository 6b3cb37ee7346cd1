"""The file of a data set's specification: a shipped one by its name, or a path."""

import os
from pathlib import Path

from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.workflow_folder import find_in_workflow, workflow_folder
from mtlaerial.errors import ConfigError

FOLDER = Path("config/datasets")
"""Folder of the shipped specifications below that of the workflow."""


def shipped_names() -> tuple[str, ...]:
    """Return the names of the shipped specifications, sorted.

    Examples
    --------
    >>> "autzen" in shipped_names()
    True
    """
    return tuple(sorted(path.stem for path in (workflow_folder() / FOLDER).glob("*.yaml")))


def find_specification(path: Path) -> Path:
    """Return the file of a specification, by a shipped name or a path.

    Parameters
    ----------
    path : Path
        A name such as ``autzen``; else a path from the working directory, else from the workflow's folder.

    Raises
    ------
    ConfigError
        When there is none; it lists the places tried.
    """
    if path.is_absolute():
        return path
    if _is_name(path) and str(path) in shipped_names():
        return workflow_folder() / FOLDER / f"{path}.yaml"
    place = find_in_workflow(path)
    if os.path.exists(place):
        return place
    names = shipped_names()
    places = f"{Path.cwd() / path} or {workflow_folder() / path}"
    expected = f"a YAML file at {places}, or one of the names {', '.join(names)}"
    raise ConfigError(path, "no such file", expected, did_you_mean(path.stem, names, "Check the path."))


def _is_name(path: Path) -> bool:
    return path.name == str(path) and not path.suffix
