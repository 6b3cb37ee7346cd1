"""Swin V2 encoders: torchvision's features, sizes, initial weights, gradients, precision and export."""

import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from mtlaerial.models.encoders.swin_v2 import SwinV2, swin_v2_b, swin_v2_s, swin_v2_t
from mtlaerial.models.published.swin_v2 import published_name
from support import torchvision_networks

CHANNELS, DEPTHS, HEADS = torchvision_networks.SMALL_SWIN_V2
SIZES = [(1, 64, 64), (1, 96, 160), (3, 288, 64), (2, 256, 512)]
"""Batch, rows and columns: at the coarsest scale one window, two along one axis, and whole ones without padding."""


def small(bands: int = 3) -> SwinV2:
    torch.manual_seed(0)
    return SwinV2(bands, CHANNELS, DEPTHS, HEADS)


def with_formula_weights() -> SwinV2:
    """Return a network whose weights follow from torchvision's names of them."""
    encoder = small().eval()
    published = torchvision_networks.formula_tensors(torchvision_networks.swin_v2_shapes(CHANNELS, DEPTHS, HEADS))
    encoder.load_state_dict({key: published[published_name(key)] for key in encoder.state_dict()})
    return encoder


def test_features_are_torchvision_s() -> None:
    with torch.inference_mode():
        features = with_formula_weights()(torchvision_networks.formula_image(*torchvision_networks.IMAGE))
    expected = torch.tensor(torchvision_networks.SWIN_V2_FEATURES)
    torch.testing.assert_close(torchvision_networks.summary(features), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "parameters"), [(swin_v2_t, 28_351_570), (swin_v2_s, 49_737_442), (swin_v2_b, 87_930_848)]
)
def test_parameters_are_as_many_as_published(build: Callable[[int], SwinV2], parameters: int) -> None:
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
        (2, width, rows // stride, columns // stride)
        for width, stride in zip((12, 24, 48, 96), (4, 8, 16, 32), strict=True)
    ]
    assert (encoder.channels, encoder.strides) == ((12, 24, 48, 96), (4, 8, 16, 32))
    assert encoder.first_convolution.weight.shape == (CHANNELS, 5, 4, 4)


def test_stages_are_disjoint_and_in_order() -> None:
    encoder = small()
    staged = [id(weight) for stage in encoder.stages() for weight in stage.parameters()]
    assert len(set(staged)) == len(staged)
    assert set(staged) == {id(weight) for weight in encoder.parameters()}
    assert encoder.first_convolution in list(encoder.stages()[0].modules())
    assert encoder.entries[3] in list(encoder.stages()[-1].modules())


def test_blocks_begin_as_the_identity() -> None:
    encoder, image = small(), torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(image)[0], encoder.entries[0](image).permute(0, 3, 1, 2), rtol=0, atol=0)
    weights = encoder.blocks[3][0].expand.weight
    assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.1)
    assert float(weights.detach().abs().max()) < 0.1


def gradients(encoder: SwinV2, image: Tensor) -> list[Tensor]:
    encoder.zero_grad()
    torch.stack([scale.square().mean() for scale in encoder(image)]).sum().backward()
    return [weight.grad for weight in encoder.parameters()]


def test_every_parameter_has_a_gradient_the_same_each_time() -> None:
    encoder, image = with_formula_weights(), torch.randn(1, 3, 32, 64)
    first, second = gradients(encoder, image), gradients(encoder, image)
    assert all(gradient.abs().max() > 0 for gradient in first)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_keys_have_no_bias() -> None:
    encoder, image = with_formula_weights(), torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        expected = encoder(image)
        width = encoder.channels[1]
        encoder.blocks[1][0].attention.qkv.bias[width : 2 * width] = 100.0
        torch.testing.assert_close(encoder(image), expected, rtol=0, atol=0)


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


@pytest.fixture(scope="module")
def exported() -> ExportedProgram:
    """Return the graph of the network with formula weights, for images of any size."""
    sides = {0: Dim("batch"), 2: 32 * Dim("h", min=2), 3: 32 * Dim("w", min=2)}
    return torch.export.export(with_formula_weights(), (torch.zeros(2, 3, 64, 96),), dynamic_shapes=(sides,))


@pytest.mark.full("traces a graph")
def test_exported_graph_takes_any_size(exported: ExportedProgram) -> None:
    encoder, program = with_formula_weights(), exported.module()
    for batch, rows, columns in SIZES:
        image = torch.randn(batch, 3, rows, columns)
        with torch.no_grad():
            torch.testing.assert_close(program(image), encoder(image), rtol=1e-5, atol=1e-5)


@pytest.mark.full("traces and optimises a graph")
def test_onnx_graph_takes_any_size(exported: ExportedProgram) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    encoder, file = with_formula_weights(), io.BytesIO()
    torch.onnx.export(exported, dynamo=True).save(file)
    session = runtime.InferenceSession(file.getvalue())
    for batch, rows, columns in SIZES:
        image = torch.randn(batch, 3, rows, columns)
        features = session.run(None, {session.get_inputs()[0].name: image.numpy()})
        with torch.no_grad():
            expected = encoder(image)
        for scale, reference in zip(features, expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(scale), reference, rtol=1e-4, atol=1e-4)
