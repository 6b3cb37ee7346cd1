"""ConvNeXt encoders: torchvision's features, sizes, initial weights, gradients, precision and export."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.export import Dim

from mtlaerial.models.encoders.convnext import ConvNeXt, convnext_base, convnext_small, convnext_tiny
from mtlaerial.models.published.convnext import published_name
from support import torchvision_networks

CHANNELS, DEPTHS = torchvision_networks.SMALL_CONVNEXT


def small(bands: int = 3) -> ConvNeXt:
    torch.manual_seed(0)
    return ConvNeXt(bands, CHANNELS, DEPTHS)


def with_formula_weights() -> ConvNeXt:
    """Return a network whose weights follow from torchvision's names of them."""
    encoder = small().eval()
    published = torchvision_networks.formula_tensors(torchvision_networks.convnext_shapes(CHANNELS, DEPTHS))
    encoder.load_state_dict({key: published[published_name(key)] for key in encoder.state_dict()})
    return encoder


def test_features_are_torchvision_s() -> None:
    with torch.inference_mode():
        features = with_formula_weights()(torchvision_networks.formula_image(*torchvision_networks.IMAGE))
    expected = torch.tensor(torchvision_networks.CONVNEXT_FEATURES)
    torch.testing.assert_close(torchvision_networks.summary(features), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "parameters"),
    [(convnext_tiny, 28_589_128), (convnext_small, 50_223_688), (convnext_base, 88_591_464)],
)
def test_parameters_are_as_many_as_published(build: Callable[[int], ConvNeXt], parameters: int) -> None:
    with torch.device("meta"):
        encoder = build(3)
    width = encoder.channels[-1]
    classifier = 2 * width + 1000 * width + 1000
    assert sum(weight.numel() for weight in encoder.parameters()) == parameters - classifier


@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (64, 160)])
def test_features_have_the_announced_channels_and_strides(rows: int, columns: int) -> None:
    encoder = small(bands=5)
    with torch.inference_mode():
        features = encoder(torch.randn(2, 5, rows, columns))
    assert [tuple(scale.shape) for scale in features] == [
        (2, width, rows // stride, columns // stride) for width, stride in zip(CHANNELS, (4, 8, 16, 32), strict=True)
    ]
    assert (encoder.channels, encoder.strides) == (CHANNELS, (4, 8, 16, 32))
    assert encoder.first_convolution.weight.shape == (CHANNELS[0], 5, 4, 4)


def test_stages_are_disjoint_and_in_order() -> None:
    encoder = small()
    staged = [id(weight) for stage in encoder.stages() for weight in stage.parameters()]
    assert len(set(staged)) == len(staged)
    assert set(staged) == {id(weight) for weight in encoder.parameters()}
    assert encoder.first_convolution in list(encoder.stages()[0].modules())
    assert encoder.entries[3] in list(encoder.stages()[-1].modules())


def test_blocks_begin_near_the_identity() -> None:
    encoder = small()
    image = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(image)[0], encoder.entries[0](image), rtol=0, atol=1e-4)
    weights = encoder.blocks[3][0].expand.weight
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert float(weights.detach().abs().max()) < 0.1


def gradients(encoder: ConvNeXt, image: Tensor) -> list[Tensor]:
    encoder.zero_grad()
    torch.stack([scale.square().mean() for scale in encoder(image)]).sum().backward()
    return [weight.grad for weight in encoder.parameters()]


def test_every_parameter_has_a_gradient_the_same_each_time() -> None:
    encoder, image = small(), torch.randn(2, 3, 32, 64)
    first, second = gradients(encoder, image), gradients(encoder, image)
    assert all(gradient.abs().max() > 0 for gradient in first)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_bf16_is_close_to_float32() -> None:
    encoder, image = with_formula_weights(), torchvision_networks.formula_image(32, 64)
    with torch.inference_mode():
        expected = encoder(image)
    with torch.autocast("cpu", torch.bfloat16):
        features = encoder(image)
        torch.stack([scale.float().mean() for scale in features]).sum().backward()
    for scale, reference in zip(features, expected, strict=True):
        error = (scale.detach().float() - reference).norm() / reference.norm()
        assert float(error) < 0.05
    assert all(torch.isfinite(weight.grad).all() for weight in encoder.parameters())


@pytest.mark.full("traces and optimises a graph")
def test_exported_graph_takes_any_size() -> None:
    encoder = with_formula_weights()
    sides = {0: Dim("batch"), 2: 32 * Dim("h", min=2), 3: 32 * Dim("w", min=2)}
    program = torch.export.export(encoder, (torch.zeros(2, 3, 64, 96),), dynamic_shapes=(sides,)).module()
    for batch, rows, columns in ((1, 64, 64), (3, 96, 288)):
        image = torch.randn(batch, 3, rows, columns)
        with torch.no_grad():
            torch.testing.assert_close(program(image), encoder(image), rtol=1e-5, atol=1e-5)
