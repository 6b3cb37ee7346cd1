"""The fetching of weights: once, and independent of their source afterwards."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mtlaerial.config import D3NetSpec
from mtlaerial.models.encoders.densenet import DenseNet, densenet_name
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
