"""The package of docs/networks.md brings a network and an encoder, which train, predict and export."""

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rasterio
import torch
import yaml

from mtlaerial import cli
from mtlaerial.config import load_project
from mtlaerial.models import build_model
from support import tiny
from support.packages import install_project

ROOT = Path(__file__).parents[1]
SECTION = (ROOT / "docs/networks.md").read_text(encoding="utf-8").partition("## A network of your own\n")[2]
COMMANDS = [shlex.split(line)[1:] for line in re.sub(r"\\\n\s*", "", SECTION).splitlines() if "    mtlaerial " in line]


def block(language: str) -> str:
    """Return the section's one block of a language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return str(text)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with the example's package installed and its configuration written."""
    packages = tmp_path / "packages"
    packages.mkdir()
    install_project(packages, block("toml"), block("python"))
    monkeypatch.syspath_prepend(packages)
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "my_steps.yaml").write_text(block("yaml"), encoding="utf-8")
    quick = {"training": {**tiny.TRAINING, "epochs": 1}}
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(quick), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_brings_a_network_and_an_encoder_for_any_decoder(workplace: Path) -> None:
    models = load_project(ROOT / "config/config.yaml", ROOT / "config/demo.yaml", workplace / "my_steps.yaml").models
    image = torch.randn(2, 5, 50, 70)
    for name in ("steps", "steps_fusion"):
        network = build_model(models[name], 5, {"semantics": 7, "height": 1})
        assert type(network.trunk.encoder).__name__ == "Steps"
        assert {task: output.shape[1:] for task, output in network(image).items()} == {
            "semantics": (7, 50, 70), "height": (1, 50, 70),
        }  # fmt: skip


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Return a function that runs a command of the page, trainings at a small scale."""

    def program(arguments: list[str]) -> None:
        small = {"train": ["--config", "quick.yaml"], "synthesise": ["--size", str(tiny.SIZE)]}
        monkeypatch.setattr("sys.argv", ["mtlaerial", *arguments, *small.get(arguments[0], [])])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code

    return program


@pytest.mark.full("trains, and exports to ONNX")
def test_the_example_trains_predicts_and_exports(workplace: Path, program: Callable[[list[str]], None]) -> None:
    assert [command[0] for command in COMMANDS] == ["synthesise", "train", "predict", "export"]
    for command in COMMANDS:
        program(command)
    with rasterio.open(workplace / "maps/height_std.tif") as deviation:
        assert deviation.read(1).max() > 0
    assert (workplace / "steps.onnx").stat().st_size > 0
