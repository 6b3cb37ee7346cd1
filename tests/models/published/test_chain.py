"""Published files of each family of encoders, with made-up tensors: from the file to the network's features."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtlaerial.config import EncoderDecoderSpec
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.models import build_model
from mtlaerial.models.encoder_decoder import build_encoder
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.models.published import convnext, efficientnet_lite, swin_v2
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import read_encoder_weights
from mtlaerial.pipeline.pretrained import fetch_pretrained

Names = Callable[[Encoder], dict[str, str]]
IMAGENET = {"bands": ["red", "green", "blue"], "mean": [123.675, 116.28, 103.53], "deviation": [58.395, 57.12, 57.375]}
AERIAL = {"bands": ["red", "green", "blue"], "mean": [0.0, 0.0, 0.0], "deviation": [255.0, 255.0, 255.0]}
LITE = {"bands": ["red", "green", "blue"], "mean": [127.0, 127.0, 127.0], "deviation": [128.0, 128.0, 128.0]}


def plain_names(encoder: Encoder) -> dict[str, str]:
    """Return the names of a library's model, of which an encoder is a part."""
    return {key: key.removeprefix("network.").removeprefix("graph.") for key in encoder.state_dict()}


TIMM = {"name": "timm", "model": "resnet18"}
TORCHVISION = {"name": "torchvision", "model": "regnet_y_400mf"}
FAMILIES = [
    pytest.param(TIMM, plain_names, IMAGENET, None, marks=pytest.mark.extras("timm")),
    pytest.param(TORCHVISION, plain_names, IMAGENET, None, marks=pytest.mark.extras("torchvision")),
    pytest.param("efficientnet_lite0", efficientnet_lite.published_names, LITE, None),
    pytest.param("convnext_tiny", convnext.published_names, IMAGENET, None, marks=pytest.mark.full("large")),
    pytest.param("swin_v2_t", swin_v2.published_names, IMAGENET, None, marks=pytest.mark.full("large")),
    pytest.param("swin_v2_t", swin_v2.published_names, AERIAL, AERIAL, marks=pytest.mark.full("large")),
]


@pytest.mark.parametrize(("name", "names", "expected", "stated"), FAMILIES)
def test_a_network_has_the_features_of_the_published_encoder(
    name: str | dict[str, str],
    names: Names,
    expected: dict[str, list[float]],
    stated: dict[str, list[float]] | None,
    tmp_path: Path,
) -> None:
    """Of a network for other bands in another order, once a published file was fetched for it."""
    spec = EncoderDecoderSpec.parse({"encoder": name, "decoder": {"name": "resize", "channels": 4, "head": 4}}, "model")
    torch.manual_seed(0)
    encoder = build_encoder(spec.encoder, 3).eval()
    path = tmp_path / "published.pth"
    torch.save({names(encoder)[key]: tensor for key, tensor in encoder.state_dict().items()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = {"encoder": name, "file": str(path), "sha256": sha256, "input": stated}
    fetch_pretrained("mine", PretrainedSpec.parse(entry, "pretrained.mine"), tmp_path / "mine.safetensors")
    network = build_model(spec, 4, {"height": 1}).eval()
    weights = read_encoder_weights(tmp_path / "mine.safetensors", spec.encoder_name)
    load_encoder(network, weights, ("nir", "blue", "green", "red"), {"nir": "zero"})

    image = torch.rand(1, 3, 64, 64) * 255  # red, green, blue
    four = torch.cat([torch.rand(1, 1, 64, 64) * 255, image.flip(1)], dim=1)
    mean, deviation = (torch.tensor(expected[key])[:, None, None] for key in ("mean", "deviation"))
    with torch.no_grad():
        features = network.trunk.encode(Normalisation(0, 255)(four))
        published = encoder((image - mean) / deviation)
    for scale, other in zip(features, published, strict=True):
        torch.testing.assert_close(scale, other, rtol=1e-3, atol=1e-4)
