"""Depthwise convolutions: float32 while training under autocast to bf16 on the CPU, untouched elsewhere."""

import copy

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.models.depthwise import DepthwiseConv2d, with_float32_depthwise


class MirroredConv2d(nn.Conv2d):
    """A convolution of a library, with a forward of its own."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(input, (1, 1, 1, 1), mode="reflect"))


@pytest.fixture
def inner_dtypes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.dtype, torch.dtype]]:
    """The dtypes of features and results of the inner convolutions, in order."""
    dtypes, convolve = [], nn.Conv2d._conv_forward

    def recorded(layer: nn.Conv2d, features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        result = convolve(layer, features, weight, bias)
        dtypes.append((features.dtype, result.dtype))
        return result

    monkeypatch.setattr(nn.Conv2d, "_conv_forward", recorded)
    return dtypes


def gradients(layer: nn.Module, features: Tensor) -> list[Tensor]:
    """Return the output in bf16, and the gradients of its squares' sum in the features and the weights."""
    features = features.clone().requires_grad_()
    output = layer(features).to(torch.bfloat16)
    output.float().square().sum().backward()
    return [output.detach(), features.grad, *(weight.grad for weight in layer.parameters())]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2), (7, 1)])
def test_training_under_bf16_autocast_is_that_of_float32_with_rounded_features(kernel: int, stride: int) -> None:
    layer = DepthwiseConv2d(8, kernel, stride, padding=kernel // 2)
    reference = nn.Conv2d(8, 8, kernel, stride, padding=kernel // 2, groups=8)
    reference.load_state_dict(layer.state_dict())
    features = torch.randn(2, 8, 12, 10)
    with torch.autocast("cpu", torch.bfloat16):
        results = gradients(layer, features)
    for result, expected in zip(results, gradients(reference, features), strict=True):
        assert torch.equal(result, expected)


def test_features_in_bf16_are_convolved_in_float32(inner_dtypes: list[tuple[torch.dtype, torch.dtype]]) -> None:
    features = torch.randn(1, 4, 8, 8, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        layer = DepthwiseConv2d(4, 3)
        assert layer(features).dtype == torch.bfloat16  # as of any convolution
    assert inner_dtypes == [(torch.float32, torch.float32)]


@pytest.mark.parametrize("frozen", [False, True])
def test_inference_stays_in_bf16(inner_dtypes: list[tuple[torch.dtype, torch.dtype]], frozen: bool) -> None:
    layer = DepthwiseConv2d(4, 3).requires_grad_(not frozen)
    with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(frozen):
        layer(torch.randn(1, 4, 8, 8))
    assert inner_dtypes == [(torch.float32, torch.bfloat16)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_without_autocast_nothing_is_converted(
    inner_dtypes: list[tuple[torch.dtype, torch.dtype]], dtype: torch.dtype
) -> None:
    gradients(DepthwiseConv2d(4, 3).to(dtype), torch.randn(1, 4, 8, 8, dtype=dtype))
    assert inner_dtypes == [(dtype, dtype)]


def test_float16_autocast_is_left_alone(inner_dtypes: list[tuple[torch.dtype, torch.dtype]]) -> None:
    with torch.autocast("cpu", torch.float16):
        DepthwiseConv2d(4, 3)(torch.randn(1, 4, 8, 8))
    assert inner_dtypes == [(torch.float32, torch.float16)]


def test_another_device_is_left_alone(inner_dtypes: list[tuple[torch.dtype, torch.dtype]]) -> None:
    layer = DepthwiseConv2d(4, 3).to("meta", torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        layer(torch.empty(1, 4, 8, 8, dtype=torch.bfloat16, device="meta"))
    assert inner_dtypes == [(torch.bfloat16, torch.bfloat16)]


def test_depthwise_layers_of_another_library_become_float32_and_keep_their_tensors(
    inner_dtypes: list[tuple[torch.dtype, torch.dtype]],
) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 6, 1),
        nn.Conv2d(6, 6, 3, groups=6),
        nn.Conv2d(6, 6, 1, groups=2),
        MirroredConv2d(6, 6, 3, groups=6),
    )
    image, tensors = torch.randn(1, 3, 8, 8), dict(network.named_parameters())
    expected = network(image)
    changed = with_float32_depthwise(copy.deepcopy(with_float32_depthwise(network)))  # twice as once, and in a copy
    assert torch.equal(changed(image), expected)
    assert {name: parameter.shape for name, parameter in changed.named_parameters()} == {
        name: parameter.shape for name, parameter in tensors.items()
    }
    assert all(parameter is tensors[name] for name, parameter in network.named_parameters())
    inner_dtypes.clear()
    with torch.autocast("cpu", torch.bfloat16):
        changed(image)
    assert [result for _, result in inner_dtypes] == [torch.bfloat16, torch.float32, torch.bfloat16, torch.float32]
