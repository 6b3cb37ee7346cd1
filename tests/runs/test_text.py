"""A run in words: network, classes, pixels without image, validation, initial weights."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.torch import load_file

from mtlaerial.runs.loading import load_run
from mtlaerial.runs.run import load_description, save_description
from mtlaerial.runs.start import StartRecord
from mtlaerial.runs.text import describe_run
from mtlaerial.runs.weights import save_run_weights
from mtlaerial.tiles.statistics import Statistics
from support import tiny
from support.described_runs import PROVENANCE, change_description


def test_a_description_in_words(saved: Path) -> None:
    text = describe_run(saved)
    for words in (
        "equal, seed 0, weights of epoch 2 of 3",
        "(generated data), 2 tiles",
        "red, green, blue (1, 2, 3 of the files)",
        "uint8, 0 to 255",
        "0.5 m",
        "1 building",
        "metres above ground",
        "0 % of the training pixels",
    ):
        assert words in text


def test_a_description_names_the_network_with_its_parameters_and_sizes(saved: Path) -> None:
    parameters = sum(weight.numel() for weight in load_run(saved, torch.device("cpu")).model.parameters())
    (line,) = [line for line in describe_run(saved).splitlines() if line.startswith("network ")]
    assert (
        f"D3Net with a DenseNet encoder of blocks 1-1-1-1, {parameters / 1e6:.3g} million parameters; stem 8, " in line
    )
    assert "growth 4, bottleneck 2, " in line
    assert "pretrained" not in line


def test_a_run_is_described_without_the_package_of_its_encoder(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    description = yaml.safe_load((saved / "run.yaml").read_text())
    description["plan"]["model"] = {"encoder": {"name": "timm", "model": "convnext_nano"}}
    (saved / "run.yaml").write_text(yaml.safe_dump(description))
    words = "encoder timm/convnext_nano with decoder fusion, parameters not counted (encoder timm: no package timm)"
    assert words in describe_run(saved)


def test_a_description_says_which_class_was_never_trained(saved: Path, statistics: Statistics) -> None:
    weights = {entry.name: 0.0 if entry.name == "tree" else 1.0 for entry in statistics.classes}
    save_description(saved, tiny.run_plan(class_weights=weights), statistics)
    assert "2 low vegetation, 3 tree (never trained), 4 car" in describe_run(saved)


def test_a_description_says_which_pixels_are_no_image(saved: Path, statistics: Statistics) -> None:
    measured = statistics.model_copy(update={"nodata": 7.0, "without_image": 0.1234})
    save_description(saved, load_description(saved).plan, measured)
    text = describe_run(saved)
    assert "uint8, 0 to 255; 7 in all bands is no image" in text
    assert "12.3 % of the training pixels" in text
    assert load_description(saved).statistics.nodata == 7


def test_the_description_says_what_the_training_was_validated_on(run_folder: Path, tmp_path: Path) -> None:
    assert re.search(r"validated on +1 tile, with the weights of the last epoch", describe_run(run_folder))
    run = tmp_path / "run"
    shutil.copytree(run_folder, run)
    data = yaml.safe_load((run / "run.yaml").read_text())
    del data["validation"]
    (run / "run.yaml").write_text(yaml.safe_dump(data))
    assert re.search(r"validated on +tiles that an earlier version did not record", describe_run(run))


START = StartRecord(
    kind="published", name="lite0", encoder="efficientnet_lite0", location="https://example.org/lite0.pth",
    sha256="ab" * 32, licence="Apache-2.0", source="https://example.org/lite",
)  # fmt: skip


def test_a_run_says_what_its_training_began_with(saved: Path, statistics: Statistics, tmp_path: Path) -> None:
    begun, weights = tmp_path / "begun", load_file(saved / "model.safetensors")
    save_run_weights(begun, PROVENANCE.model_copy(update={"start": START}), weights, {})
    save_description(begun, load_description(saved).plan, statistics)
    assert load_description(begun).start == START
    expected = "lite0 (encoder), licence Apache-2.0, https://example.org/lite, SHA-256 abababababab…"
    assert re.search(rf"initial weights +{re.escape(expected)}", describe_run(begun))


def test_a_run_from_random_weights_is_written_as_before(saved: Path) -> None:
    assert "start" not in yaml.safe_load((saved / "run.yaml").read_text())
    with safe_open(saved / "model.safetensors", framework="np") as file:
        assert all("start" not in text for text in file.metadata().values())
    assert load_description(saved).start is None
    assert re.search(r"initial weights +random", describe_run(saved))


def test_a_run_of_an_earlier_version_is_not_said_to_be_random(saved: Path) -> None:
    def change(run: dict[str, Any]) -> None:
        run["plan"]["model"] = {"name": "d3net", "pretrained": "densenet121"}

    change_description(saved, change)
    expected = "densenet121, of which an earlier version recorded no origin"
    assert re.search(rf"initial weights +{expected}", describe_run(saved))
