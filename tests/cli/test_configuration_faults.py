"""Faulty configurations on the command line: one clear message, the exit code, and no folder of a run."""

from collections.abc import Callable
from typing import Any

import pytest

from support.command_line import Town, assert_says, config
from support.without_torch import needs_torch

CONFIGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "key": ({"trainings": {}}, ("config.yaml", "trainings", "Did you mean training?")),
    "nested key": (
        {"training": {"augmentation": {"flips": True}}},
        ("training.augmentation.flips", "Did you mean flip?"),
    ),
    "override": (
        {"methods": {"equal": {"overrides": {"training": {"epoch": 1}}}}},
        ("methods.equal.overrides", "epochs"),
    ),
    "seed": ({"run": {"seeds": [-1]}}, ("run.seeds.0", "-1", "a number of at least 0")),
    "seed twice": ({"run": {"seeds": [1, 1]}}, ("run.seeds", "1 twice", "each of seeds once")),
    "method": ({"run": {"methods": ["equl"]}}, ("run.methods", "'equl'", "one of equal", "Did you mean equal?")),
    "model": ({"methods": {"equal": {"model": "big"}}}, ("methods.equal.model", "'big'", "one of tiny")),
    "weighting": (
        {"methods": {"equal": {"weighting": {"name": "magic"}}}},
        ("weighting.name", "'magic'", "one of aligned_mtl"),
    ),
    "window": ({"prediction": {"window": 100}}, ("prediction.window", "100", "multiple of 32")),
    "stride": ({"prediction": {"window": 64, "stride": 65}}, ("prediction", "a stride of at most the window (64)")),
    "rate": ({"training": {"learning_rate": "fast"}}, ("training.learning_rate", "'fast'", "number")),
}


@pytest.mark.parametrize("fault", CONFIGS)
@needs_torch
def test_configuration(fault: str, town: Town, program: Callable[..., tuple[int, str]]) -> None:
    changes, words = CONFIGS[fault]
    out = town.folder / "out"
    outcome = program("train", town.spec, "--root", town.root, "--out", out, "--config", config(town, **changes))
    assert_says(outcome, "Error: ", *words)
    assert not out.exists()


@needs_torch
def test_unknown_method(town: Town, program: Callable[..., tuple[int, str]]) -> None:
    common = ("train", town.spec, "--root", town.root, "--out", town.folder / "out", "--config", config(town))
    assert_says(program(*common, "--method", "magic"), "--method", "magic", "one of equal")
    assert_says(program(*common, "--method", "equall"), "--method", "'equall'", "Did you mean equal?")
    assert_says(program(*common, "--seed", "-1"), "Invalid value for '--seed'", code=2)
