"""Kinds of YAML files, told by their keys: a file given in the place of another kind is named as such."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mtlaerial.config.yaml_reader import read_yaml
from mtlaerial.errors import ConfigError

Kind = Literal["configuration", "specification"]
_NAMES = {
    "configuration": "a configuration of the workflow",
    "specification": "the specification of a data set",
    "description": "the description of a trained run",
}
_KEYS = {
    "configuration": {"run", "results", "datasets", "models", "methods", "training", "prediction", "scoring"},
    "specification": {"title", "licence", "obtain", "image", "height", "labels", "splits", "archives"},
    "description": {"plan", "statistics", "epoch", "mtlaerial"},
}
_REMEDIES = {
    "configuration": "List a data set in a configuration as datasets: {NAME: {spec: FILE, root: FOLDER}}.",
    "specification": "Give a file such as config/datasets/city.yaml; a configuration is given to --config.",
}


def read_kind(path: Path, kind: Kind) -> dict[str, Any]:
    """Read a YAML mapping of some kind.

    Raises
    ------
    ConfigError
        When the file cannot be read, or its keys are those of another kind.
    """
    data = read_yaml(path)
    likely = max(_KEYS, key=lambda name: (_matches(data, name), name == kind))
    if likely != kind and not _matches(data, kind):
        raise ConfigError(path, _NAMES[likely], _NAMES[kind], _REMEDIES[kind])
    return data


def read_configuration(path: Path) -> dict[str, Any]:
    """Read one YAML file of a configuration: the whole, or an overlay.

    Raises
    ------
    ConfigError
        When the file is missing, not YAML, has a key twice, or is no configuration.
    """
    return read_kind(path, "configuration")


def _matches(data: Mapping[str, Any], kind: str) -> int:
    return len(_KEYS[kind].intersection(map(str, data)))
