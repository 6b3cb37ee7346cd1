"""Conversion of DenseNet-121's ImageNet weights into the encoder's, from either spelling of their names."""

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from mtlaerial.config import D3NetSpec
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models import D3Net, build_model
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import (
    EncoderWeights,
    WeightsFacts,
    convert_published,
    read_encoder_weights,
    save_encoder_weights,
)
from support import original


def densenet(older: bool = False) -> dict[str, Tensor]:
    """Return random tensors named and shaped as torchvision's DenseNet-121; ``older``: as its published file."""
    encoder = original.shapes((1,), skips=False, sizes=original.Sizes())
    shapes = {name: shape for name, shape in encoder.items() if re.match(r"features\.(norm[05]|dense|trans)", name)}
    shapes |= {"features.conv0.weight": (64, 3, 7, 7), "classifier.weight": (1000, 1024), "classifier.bias": (1000,)}
    generator = torch.Generator().manual_seed(0)
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    state |= {name: torch.tensor(7) for name, shape in shapes.items() if not shape}
    if not older:
        return state
    spelled = {re.sub(r"(denselayer\d+)\.(norm|conv)(\d)", r"\1.\2.\3", name): value for name, value in state.items()}
    return {name: value for name, value in spelled.items() if not name.endswith("num_batches_tracked")}


FACTS = WeightsFacts(name="densenet121", encoder="densenet121", input=None, sha256="0" * 64)
BANDS = ("red", "green", "blue")


def convert(source: Path, target: Path) -> None:
    save_encoder_weights(target, convert_published(source, FACTS))


def converted(folder: Path, state: Any) -> dict[str, Tensor]:
    torch.save(state, folder / "densenet.pth")
    convert(folder / "densenet.pth", folder / "encoder.safetensors")
    return load_file(folder / "encoder.safetensors")


def weights_in(folder: Path) -> EncoderWeights:
    return read_encoder_weights(folder / "encoder.safetensors", "densenet121")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file of torchvision's and the encoder's made from it; not to be written to."""
    path = tmp_path_factory.mktemp("imagenet")
    converted(path, densenet())
    return path


def d3net(**changes: Any) -> D3Net:
    bands = changes.pop("bands", 3)
    return build_model(D3NetSpec(**changes), bands, {"height": 1})


def test_all_is_taken_but_the_first_convolution_and_the_classifier(folder: Path) -> None:
    state = load_file(folder / "encoder.safetensors")
    with torch.device("meta"):
        encoder = d3net().trunk.encoder.state_dict()
    assert set(encoder) - set(state) == {
        "conv0.weight", "downconv0.weight", "norm1.weight", "norm1.bias", "norm1.running_mean", "norm1.running_var",
        "norm1.num_batches_tracked",
    }  # fmt: skip
    assert len(state) == len(densenet()) - 3
    assert all(state[key].shape == encoder[key].shape for key in state)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("blocks.0.0.norm1.weight", "features.denseblock1.denselayer1.norm1.weight"),
        ("blocks.2.23.conv2.weight", "features.denseblock3.denselayer24.conv2.weight"),
        ("blocks.3.9.norm2.running_var", "features.denseblock4.denselayer10.norm2.running_var"),
        ("transitions.2.conv.weight", "features.transition3.conv.weight"),
        ("transitions.0.norm.bias", "features.transition1.norm.bias"),
        ("norm0.running_mean", "features.norm0.running_mean"),
        ("norm5.weight", "features.norm5.weight"),
    ],
)
def test_values_land_in_their_place(folder: Path, ours: str, theirs: str) -> None:
    assert torch.equal(load_file(folder / "encoder.safetensors")[ours], densenet()[theirs])


def test_the_published_file_s_spelling_gives_the_same(folder: Path, tmp_path: Path) -> None:
    state, expected = converted(tmp_path, densenet(older=True)), load_file(folder / "encoder.safetensors")
    assert set(expected) - set(state) == {key for key in expected if key.endswith("num_batches_tracked")}
    assert all(torch.equal(state[key], expected[key]) for key in state)


def test_a_safetensors_file_will_do(folder: Path, tmp_path: Path) -> None:
    save_file(densenet(), tmp_path / "densenet.safetensors")
    convert(tmp_path / "densenet.safetensors", tmp_path / "encoder.safetensors")
    assert (tmp_path / "encoder.safetensors").read_bytes() == (folder / "encoder.safetensors").read_bytes()


@pytest.mark.parametrize("bands", [BANDS, ("nir", *BANDS, "height")])
def test_a_network_begins_with_them_and_keeps_the_rest(folder: Path, bands: tuple[str, ...]) -> None:
    """The first convolution is random in the original too: no band needs a rule."""
    model = d3net(bands=len(bands))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    tensors = load_file(folder / "encoder.safetensors")
    load_encoder(model, weights_in(folder), bands)
    for key, value in model.state_dict().items():
        assert torch.equal(value, tensors.get(key.removeprefix("trunk.encoder."), before[key])), key


@pytest.mark.quick_cases(2, "builds a network a case")
@pytest.mark.parametrize("change", [{"stem": 48}, {"growth": 12}, {"blocks": (6, 12, 24, 8)}, {"bottleneck": 2}])
def test_a_network_of_another_size_is_refused(folder: Path, change: dict[str, Any]) -> None:
    model = d3net(**change)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    message = (
        r"encoder\.safetensors, \S+: found (the shape|no such).*network's encoder\. Leave the sizes.*pretrained: none"
    )
    with pytest.raises(ConfigError, match=message):
        load_encoder(model, weights_in(folder), BANDS)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items()), "nothing is copied"


def test_a_file_of_other_tensors_is_refused(tmp_path: Path) -> None:
    save_file({"layer.weight": torch.zeros(3)}, tmp_path / "encoder.safetensors")
    with pytest.raises(DataError, match=r"encoder\.safetensors, features\.norm0\.weight: found no such tensor"):
        weights_in(tmp_path)


def test_file_of_an_earlier_version_and_published_file_give_the_same(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / "encoder.safetensors")
    save_file(tensors, tmp_path / "encoder.safetensors")  # without what is known of the weights
    for weights in (weights_in(tmp_path), read_encoder_weights(folder / "densenet.pth", "densenet121")):
        assert weights.facts.encoder == "densenet121"
        assert weights.tensors.keys() == tensors.keys()
        assert all(torch.equal(weights.tensors[key], tensors[key]) for key in tensors)


class Malicious:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("legacy", [True, False])
def test_code_in_a_file_does_not_run(tmp_path: Path, legacy: bool) -> None:
    path, marker = tmp_path / "evil.pth", tmp_path / "made"
    torch.save({**densenet(), "x": Malicious(marker)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(DataError, match=r"evil\.pth: found a file that cannot be read"):
        convert(path, tmp_path / "encoder.safetensors")
    assert not marker.exists()
    assert not (tmp_path / "encoder.safetensors").exists()


def test_files_that_are_not_weights_are_named(tmp_path: Path) -> None:
    contents = {"truncated": b"PK\x03\x04 and no more", "text": b"<html>not found</html>", "empty": b""}
    contents |= {"list": pickle.dumps([1, 2], protocol=2), "safe.safetensors": b"damaged"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    for name in (*contents, "folder"):
        with pytest.raises(DataError, match=rf"{name}: found (an?|objects) .+; expected .+Get the published"):
            convert(tmp_path / name, tmp_path / "encoder.safetensors")
    with pytest.raises(DataError, match="absent: found no file"):
        convert(tmp_path / "absent", tmp_path / "encoder.safetensors")
    with pytest.raises(DataError, match=r"densenet\.pth: found other objects"):
        converted(tmp_path, {"state_dict": densenet()})
    assert not (tmp_path / "encoder.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "shape", "fault"),
    [
        ("features.norm5.weight", None, "no such tensor"),
        ("features.denseblock1.denselayer1.conv2.weight", (48, 128, 3, 3), r"the shape \(48, 128, 3, 3\)"),
    ],
)
def test_another_densenet_is_refused(tmp_path: Path, name: str, shape: tuple[int, ...] | None, fault: str) -> None:
    state = densenet()
    state.pop(name)
    state |= {name: torch.zeros(shape)} if shape else {}
    with pytest.raises(
        DataError, match=rf"{name}: found {fault}; expected the shape .*Get torchvision's DenseNet-121 anew"
    ):
        converted(tmp_path, state)


REFERENCE = os.environ.get("MTLAERIAL_REFERENCE")


@pytest.mark.skipif(REFERENCE is None, reason="MTLAERIAL_REFERENCE names no folder with torchvision's names")
def test_the_names_of_these_tests_are_torchvision_s() -> None:
    names = json.loads((Path(str(REFERENCE)) / "torchvision_densenet121_keys.json").read_text(encoding="utf-8"))
    assert {name: list(tensor.shape) for name, tensor in densenet().items()} == names
