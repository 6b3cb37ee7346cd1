"""Our ConvNeXt and Swin V2 beside torchvision's, where it is installed (`make test-extras`)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.models.encoders import convnext, swin_v2
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.published.form import published_form
from support import torchvision_networks

torchvision = pytest.importorskip("torchvision", reason="needs the extra torchvision: make test-extras")
pytestmark = pytest.mark.extras("torchvision")

PAIRS = [
    ("convnext_tiny", convnext.convnext_tiny, published_form("convnext_tiny").convert),
    ("convnext_small", convnext.convnext_small, published_form("convnext_small").convert),
    ("convnext_base", convnext.convnext_base, published_form("convnext_base").convert),
    ("swin_v2_t", swin_v2.swin_v2_t, published_form("swin_v2_t").convert),
    ("swin_v2_s", swin_v2.swin_v2_s, published_form("swin_v2_s").convert),
    ("swin_v2_b", swin_v2.swin_v2_b, published_form("swin_v2_b").convert),
]
SIZES = [(32, 32), (64, 64), (96, 160), (256, 256)]


def features(network: nn.Module, image: Tensor) -> list[Tensor]:
    """Return the output of each of torchvision's four stages, channels first."""
    scales, inner = [], image
    for number, layer in enumerate(network.features):
        inner = layer(inner)
        if number % 2:
            scales.append(inner)
    channels_last = isinstance(network, torchvision.models.SwinTransformer)
    return [scale.permute(0, 3, 1, 2) if channels_last else scale for scale in scales]


def draw(network: nn.Module) -> nn.Module:
    """Draw weights with which every layer matters: by default blocks of ConvNeXt add next to nothing."""
    torch.manual_seed(0)
    for name, weight in network.named_parameters():
        noise = torch.randn(weight.shape)
        if weight.ndim > 1 and not name.endswith(("layer_scale", "logit_scale")):
            weight.data = noise / weight[0].numel() ** 0.5
        else:
            weight.data = weight.data.clamp(min=0.1) + 0.1 * noise
    return network.eval()


def assert_same_features(encoder: Encoder, network: nn.Module, image: Tensor) -> None:
    with torch.inference_mode():
        for scale, reference in zip(encoder(image), features(network, image), strict=True):
            assert float(reference.std()) > 0.1
            torch.testing.assert_close(scale, reference, rtol=1e-5, atol=1e-5 * float(reference.abs().max()))


@pytest.mark.full("networks of full size")
@pytest.mark.parametrize(("name", "build", "convert"), PAIRS, ids=[name for name, _, _ in PAIRS])
def test_features_of_the_same_weights_are_equal(name: str, build: Any, convert: Any) -> None:
    network = draw(getattr(torchvision.models, name)())
    encoder = build(3).eval()
    encoder.load_state_dict(convert(network.state_dict()))
    for rows, columns in SIZES:
        assert_same_features(encoder, network, torch.randn(1, 3, rows, columns))


@pytest.mark.parametrize("size", torchvision_networks.CONVNEXT)
def test_names_and_shapes_of_convnext_are_torchvision_s(size: str) -> None:
    with torch.device("meta"):
        state = getattr(torchvision.models, f"convnext_{size}")().state_dict()
    expected = torchvision_networks.convnext_shapes(*torchvision_networks.CONVNEXT[size])
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected


@pytest.mark.parametrize("size", torchvision_networks.SWIN_V2)
def test_names_and_shapes_of_swin_v2_are_torchvision_s(size: str) -> None:
    with torch.device("meta"):
        state = getattr(torchvision.models, f"swin_v2_{size}")().state_dict()
    expected = torchvision_networks.swin_v2_shapes(*torchvision_networks.SWIN_V2[size])
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == expected


def small_convnext(channels: Sequence[int], depths: Sequence[int]) -> nn.Module:
    sizes = torchvision.models.convnext.CNBlockConfig
    exits = [*channels[1:], None]
    return torchvision.models.ConvNeXt([sizes(*stage) for stage in zip(channels, exits, depths, strict=True)])


def small_swin_v2(channels: int, depths: Sequence[int], heads: Sequence[int]) -> nn.Module:
    module = torchvision.models.swin_transformer
    build = partial(module.SwinTransformer, block=module.SwinTransformerBlockV2, downsample_layer=module.PatchMergingV2)
    return build([4, 4], channels, list(depths), list(heads), [8, 8])


def with_formula_weights(network: nn.Module, shapes: torchvision_networks.Shapes) -> nn.Module:
    tensors = torchvision_networks.formula_tensors(shapes)
    constants = {name: value for name, value in network.state_dict().items() if "relative_" in name}
    network.load_state_dict(tensors | constants)
    return network.eval()


def test_recorded_features_of_convnext_are_torchvision_s() -> None:
    sizes = torchvision_networks.SMALL_CONVNEXT
    network = with_formula_weights(small_convnext(*sizes), torchvision_networks.convnext_shapes(*sizes))
    image = torchvision_networks.formula_image(*torchvision_networks.IMAGE)
    with torch.inference_mode():
        summary = torchvision_networks.summary(features(network, image))
    torch.testing.assert_close(summary, torch.tensor(torchvision_networks.CONVNEXT_FEATURES), rtol=1e-5, atol=1e-5)


def test_recorded_features_of_swin_v2_are_torchvision_s() -> None:
    sizes = torchvision_networks.SMALL_SWIN_V2
    network = with_formula_weights(small_swin_v2(*sizes), torchvision_networks.swin_v2_shapes(*sizes))
    image = torchvision_networks.formula_image(*torchvision_networks.IMAGE)
    with torch.inference_mode():
        summary = torchvision_networks.summary(features(network, image))
    torch.testing.assert_close(summary, torch.tensor(torchvision_networks.SWIN_V2_FEATURES), rtol=1e-5, atol=1e-5)
