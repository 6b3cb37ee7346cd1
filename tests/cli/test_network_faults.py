"""The command line on networks and encoders that do not exist or do not work: one sentence, exit code 1."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from support import packages
from support.command_line import Town, assert_says, config
from support.without_torch import needs_torch

CASES = {
    "unknown encoder": (
        {"encoder": "efficientnet_lte0"},
        "key models.tiny.encoder.name: found 'efficientnet_lte0'; expected one of ",
        "Did you mean efficientnet_lite0?",
    ),
    "unknown network": (
        {"name": "raisin"},
        "key models.tiny.name: found 'raisin'; expected one of ",
        "Did you mean raising?",
    ),
    "a network that raises": (
        {"name": "raising"},
        "model raising: found RuntimeError: no licence for this machine for bands: 3, ",
        "expected options that broken:raises takes. Correct them.",
    ),
    "another object": (
        {"name": "layer"},
        "model layer: found a Conv2d; expected a mtlaerial.models.network.Network.",
        "Correct the package that registers it.",
    ),
    "an option of another package's network": (
        {"name": "raising", "options": {"depth": 2}},
        "model raising: found TypeError: raises() got an unexpected keyword argument 'depth' for bands: 3, ",
        "depth: 2; expected options that broken:raises takes.",
    ),
    "an extra that is not installed": (
        {"encoder": {"name": "timm", "model": "resnet18"}},
        "encoder timm: found no package timm; expected it to be installed.",
        "Install it with: pip install 'mtlaerial[timm]'",
    ),
}


@pytest.mark.parametrize(("model", "begin", "end"), CASES.values(), ids=CASES)
@needs_torch
def test_train_refuses_a_network_in_one_sentence(
    model: Mapping[str, object], begin: str, end: str,
    town: Town, program: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    packages.install_broken(tmp_path / "packages", monkeypatch)
    monkeypatch.setitem(sys.modules, "timm", None)  # its import then fails as where it is not installed
    path = config(town)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**content, "models": {"tiny": model}}), encoding="utf-8")
    outcome = program("train", town.spec, "--root", town.root, "--out", tmp_path / "out", "--config", path)
    assert_says(outcome, begin, end)
    assert outcome[1].strip().splitlines()[-1].startswith("Error: ")
