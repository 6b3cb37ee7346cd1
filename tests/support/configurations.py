"""The shipped configuration; the smallest one, changes of it, and the messages of their errors."""

from typing import Any

import pytest

from mtlaerial.config import DatasetSpec, load_dataset, merge, parse_project
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.errors import ConfigError
from support import tiny

BASE = tiny.CONFIG / "config.yaml"
PROJECT: dict[str, Any] = {
    "run": {"datasets": ["town"], "methods": ["both"], "seeds": [0]},
    "datasets": {"town": {"spec": "town.yaml", "root": "town"}},
    "models": {"net": {"name": "d3net"}},
    "methods": {"both": {"tasks": ["semantics", "height"], "model": "net"}},
}


def spec_data(**changes: Any) -> dict[str, Any]:
    return merge(load_dataset(tiny.CONFIG / "datasets" / "city.yaml").model_dump(mode="json"), changes)


def in_force(changes: dict[str, Any]) -> None:
    """Read a configuration and the recipes of its methods."""
    config = parse_project(merge(PROJECT, changes), "here")
    for method in config.run.methods:
        recipe_in_force(config, {}, method)


def refusal(changes: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        in_force(changes)
    return str(caught.value)


def dataset_refusal(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        DatasetSpec.parse(spec_data(**changes), "town.yaml")
    return str(caught.value)
