"""EfficientNet-Lite encoders: sizes, padding, initial weights and gradients."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import nn

from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.efficientnet_lite import (
    EfficientNetLite,
    InvertedResidual,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)

Build = Callable[[int], EfficientNetLite]

PUBLISHED = [
    (efficientnet_lite0, 4_652_008, 320), (efficientnet_lite1, 5_416_680, 320), (efficientnet_lite2, 6_092_072, 352),
]  # fmt: skip
"""Parameters with the classifier of 1,000 classes (tensorflow/tpu, lite/efficientnet_lite_builder_test.py), and the
channels that enter the head, from the factors of efficientnet_lite_params."""


def head_parameters(channels: int) -> int:
    """Return the parameters of the convolution to 1,280 channels, its batch norm, and the layer of 1,000 classes."""
    return channels * 1280 + 2 * 1280 + 1280 * 1000 + 1000


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite:
    torch.manual_seed(0)
    return efficientnet_lite0(5)


@pytest.mark.parametrize(("build", "parameters", "channels"), PUBLISHED)
def test_parameters_are_as_many_as_published(build: Build, parameters: int, channels: int) -> None:
    encoder = build(3)
    assert encoder.channels[-1] == channels
    assert sum(weight.numel() for weight in encoder.parameters()) == parameters - head_parameters(channels)


@pytest.mark.parametrize("build", [efficientnet_lite0, efficientnet_lite1, efficientnet_lite2])
def test_features_have_the_announced_channels_and_strides(build: Build) -> None:
    encoder = build(4)
    with torch.no_grad():
        features = encoder(torch.randn(2, 4, 32, 96))
    shapes = [tuple(scale.shape) for scale in features]
    assert shapes == [
        (2, n, 32 // stride, 96 // stride) for n, stride in zip(encoder.channels, encoder.strides, strict=True)
    ]
    assert encoder.strides == (2, 4, 8, 16, 32)


def test_stages_are_disjoint_and_hold_every_parameter(encoder: EfficientNetLite) -> None:
    stages = [{id(weight) for weight in stage.parameters()} for stage in encoder.stages()]
    together = set().union(*stages)
    assert len(together) == sum(len(stage) for stage in stages)
    assert together == {id(weight) for weight in encoder.parameters()}
    names = [name for name, _ in encoder.named_parameters()]
    order = [next(n for n, stage in enumerate(stages) if id(encoder.get_parameter(name)) in stage) for name in names]
    assert all(earlier <= later for earlier, later in pairwise(order))  # from the image to the coarsest features


def test_the_bands_enter_the_first_convolution(encoder: EfficientNetLite) -> None:
    assert encoder.first_convolution.weight.shape == (32, 5, 3, 3)
    assert encoder.first_convolution is next(layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d))


@pytest.mark.parametrize("kernel", [3, 5])
def test_padding_at_stride_2_is_that_of_tensorflow(kernel: int) -> None:
    block = InvertedResidual(entry=1, channels=1, kernel=kernel, stride=2, expansion=2)
    features, before = torch.randn(1, 2, 8, 12), (kernel - 2) // 2
    expected = torch.zeros(1, 2, 4, 6)
    for row, column in ((r, c) for r in range(kernel) for c in range(kernel)):
        # "SAME" pads an even length by kernel - 2 zeros, the smaller half first: y[i] = sum w[k] x[2 i + k - before].
        shifted = torch.zeros(1, 2, 20, 24)
        shifted[..., before : before + 8, before : before + 12] = features
        tap = shifted[..., row : row + 8 : 2, column : column + 12 : 2]
        expected += block.depthwise.weight[:, 0, row, column].view(1, 2, 1, 1) * tap
    with torch.no_grad():
        torch.testing.assert_close(block.depthwise(block.pad(features)), expected)


def test_depthwise_convolutions_are_those_that_train_fast_in_bf16(encoder: EfficientNetLite) -> None:
    depthwise = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1]
    assert len(depthwise) == 16
    assert all(isinstance(layer, DepthwiseConv2d) for layer in depthwise)


@pytest.mark.full("a large network")
def test_batch_norms_can_be_folded_into_the_convolutions_before_them() -> None:
    torch.manual_seed(0)
    encoder, image = efficientnet_lite0(3), torch.randn(2, 3, 64, 64)
    encoder(image)  # moves the running statistics from those that change nothing
    for norm in (layer for layer in encoder.modules() if isinstance(layer, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    result = folded(encoder.eval())
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in result.modules())
    with torch.no_grad():
        for scale, expected in zip(result(image), encoder(image), strict=True):
            torch.testing.assert_close(scale, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_initial_weights_have_the_variance_of_two_per_output_of_an_input() -> None:
    torch.manual_seed(0)
    encoder = efficientnet_lite0(3)
    block = encoder.scales[4][0]
    for layer, outputs in ((block.expand, 672), (block.depthwise, 25), (encoder.first_convolution, 9 * 32)):
        assert float(layer.weight.detach().std()) == pytest.approx(math.sqrt(2 / outputs), rel=0.05)


def test_gradients_reach_every_parameter_and_the_image(encoder: EfficientNetLite) -> None:
    image = torch.randn(2, 5, 64, 64, requires_grad=True)
    torch.stack([scale.square().mean() for scale in encoder(image)]).sum().backward()
    without = [name for name, weight in encoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not without
    assert image.grad.any()
