"""The fetching of weights: once, and independent of their source afterwards."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from mtlaerial.config import D3NetSpec, merge
from mtlaerial.models.encoders.densenet import DenseNet, densenet_name
from mtlaerial.models.encoders.efficientnet_lite import efficientnet_lite0
from mtlaerial.models.published.efficientnet_lite import published_names
from support.workplace import Workplace

pytestmark = pytest.mark.workflow
TARGET = "results/pretrained/densenet121.safetensors"
URL = "http://127.0.0.1:9/densenet121.pth"


def write_densenet(path: Path) -> None:
    spec = D3NetSpec()
    encoder = DenseNet(3, spec.stem, spec.growth, spec.blocks, spec.bottleneck)
    torch.save({densenet_name(key): tensor for key, tensor in encoder.state_dict().items()}, path)


@pytest.mark.full("a real job; what it calls is tested in the quick tier")
def test_a_local_copy(tmp_path: Path) -> None:
    place, copy = Workplace(tmp_path / "place"), tmp_path / "copy.pth"
    write_densenet(copy)
    sha256 = hashlib.sha256(copy.read_bytes()).hexdigest()
    published = {"url": URL, "sha256": sha256, "file": str(copy)}
    run = place.run(TARGET, config={"pretrained": {"densenet121": published}})
    assert run.returncode == 0, run.stdout
    assert sha256 in run.stdout
    assert "blocks.3.15.conv2.weight" in load_file(place.folder / TARGET)
    moved = {"url": f"{URL}?mirror", "sha256": sha256, "file": "elsewhere.pth"}
    assert place.planned({"pretrained": {"densenet121": moved}}, [TARGET]) == []


@pytest.mark.full("a real job that fails; its message is tested in tests/models")
def test_no_copy(tmp_path: Path) -> None:
    place = Workplace(tmp_path / "place")
    run = place.run(TARGET, config={"pretrained": {"densenet121": {"file": "elsewhere.pth"}}})
    assert run.returncode == 1
    for words in ("elsewhere.pth: found no file", "pretrained.densenet121.file", "pretrained: none"):
        assert words in run.stdout
    assert "Traceback" not in run.stdout


def install_package(site: Path) -> dict[str, Any]:
    """Write an installed package with made-up weights of EfficientNet-Lite0; return their entry in ``pretrained``."""
    encoder = efficientnet_lite0(3)
    state, names = encoder.state_dict(), published_names(encoder)
    path = site / "made_up_weights" / "lite0.pth"
    path.parent.mkdir()
    torch.save({names[key]: tensor for key, tensor in state.items()}, path, _use_new_zipfile_serialization=False)
    information = site / "made_up_weights-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-weights\nVersion: 1.0\n")
    package = {"name": "made-up-weights", "path": "made_up_weights/lite0.pth"}
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"encoder": "efficientnet_lite0", "package": package, "sha256": sha256, "licence": "CC0-1.0"}


@pytest.mark.full("a training; what it calls is tested in the quick tier")
def test_a_run_from_the_weights_of_an_installed_package(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "place")
    published = install_package(place.folder / "src")
    decoder = {"name": "resize", "channels": 8, "head": 8}
    config: dict[str, Any] = {
        "pretrained": {"lite0": published},
        "models": {"lite": {"encoder": "efficientnet_lite0", "decoder": decoder, "pretrained": "lite0"}},
        "methods": {"equal": {"model": "lite"}},
    }
    target = "results/town/runs/equal/seed0/run.yaml"
    missing = merge(config, {"pretrained": {"lite0": {"package": {"name": "no-such-weights"}}}})
    run = place.run("--dry-run", "--nolock", config=missing)
    assert run.returncode != 0
    assert "models.lite.pretrained: found lite0, which is in a package that is not installed" in run.stdout
    assert "Traceback" not in run.stdout

    run = place.run(target, config=config)
    assert run.returncode == 0, run.stdout
    start = yaml.safe_load((place.folder / target).read_text())["start"]
    assert (start["name"], start["licence"], start["sha256"]) == ("lite0", "CC0-1.0", published["sha256"])
    corrected = merge(config, {"pretrained": {"lite0": {"licence": "CC0 1.0 Universal", "url": URL}}})
    assert place.planned(corrected, [target]) == []
    other = merge(config, {"pretrained": {"lite0": {"sha256": "0" * 64}}})
    assert "Fetching the weights lite0" in place.planned(other, [target])
