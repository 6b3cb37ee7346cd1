"""Encoders of timm and torchvision: what ForeignEncoder needs of both, and the networks that have one."""

from copy import deepcopy

import pytest
import torch
from _pytest.mark import ParameterSet

from mtlaerial.config import EncoderDecoderSpec
from mtlaerial.errors import ConfigError
from mtlaerial.models import build_model
from mtlaerial.models.encoder_decoder import build_encoder
from mtlaerial.models.encoders.encoder import Encoder

TASKS = {"semantics": 3, "height": 1}
ALL = (2, 4, 8, 16, 32)
FROM_4 = (4, 8, 16, 32)
TIMM = {
    "resnet18": ((64, 64, 128, 256, 512), ALL),
    "convnext_atto": ((40, 80, 160, 320), FROM_4),
    "mobilenetv3_small_050": ((16, 8, 16, 24, 288), ALL),
    "swinv2_tiny_window8_256": ((96, 192, 384, 768), FROM_4),
}
TORCHVISION = {
    "resnet18": ((64, 64, 128, 256, 512), ALL),
    "regnet_y_400mf": ((32, 48, 104, 208, 440), ALL),
    "mobilenet_v3_small": ((16, 16, 24, 48, 576), ALL),
    "swin_v2_t": ((96, 192, 384, 768), FROM_4),
}
BANDS = 4


def cases(package: str, models: dict[str, tuple[tuple, tuple]]) -> list[ParameterSet]:
    mark = pytest.mark.extras(package)
    return [
        pytest.param((package, model), sizes, id=f"{package}-{model}", marks=mark) for model, sizes in models.items()
    ]


each_encoder = pytest.mark.parametrize(
    ("encoder", "sizes"), [*cases("timm", TIMM), *cases("torchvision", TORCHVISION)], indirect=["encoder"]
)


def spec(package: str, model: str, **options: object) -> EncoderDecoderSpec:
    encoder = {"name": package, "model": model, **options}
    return EncoderDecoderSpec.parse({"encoder": encoder, "decoder": {"channels": 8, "head": 4}}, "model")


def encoder_of(package: str, model: str, **options: object) -> Encoder:
    return build_encoder(spec(package, model, **options).encoder, BANDS)


@pytest.fixture(scope="module")
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Return the encoder of the library and the model that the test's parameter names; not to be changed."""
    return encoder_of(*request.param)


@each_encoder
def test_features_are_those_that_the_library_publishes(encoder: Encoder, sizes: tuple[tuple, tuple]) -> None:
    assert (encoder.channels, encoder.strides) == sizes
    features = encoder.eval()(torch.randn(2, BANDS, 64, 96))
    expected = [(2, size, 64 // stride, 96 // stride) for size, stride in zip(*sizes, strict=True)]
    assert [tuple(each.shape) for each in features] == expected


@each_encoder
def test_the_bands_enter_the_first_convolution(encoder: Encoder, sizes: tuple[tuple, tuple]) -> None:
    changed = deepcopy(encoder).eval()
    weight = changed.first_convolution.weight
    assert weight.shape[1] == BANDS
    image = torch.randn(1, BANDS, 64, 64)
    with torch.no_grad():
        before = changed(image)
        weight[:, 3] = 0
        without = changed(image)
        image[:, 3] = 100
        ignoring = changed(image)
    assert not torch.allclose(before[0], without[0])
    for old, new in zip(without, ignoring, strict=True):
        torch.testing.assert_close(old, new)


@each_encoder
def test_every_parameter_is_trained_and_lies_in_one_stage(encoder: Encoder, sizes: tuple[tuple, tuple]) -> None:
    parameters = list(encoder.parameters())
    total = sum(features.square().mean() for features in encoder.train()(torch.randn(2, BANDS, 64, 64)))
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    assert all(gradient is not None for gradient in gradients)
    staged = [id(parameter) for stage in encoder.stages() for parameter in stage.parameters()]
    assert sorted(staged) == sorted(map(id, parameters))
    assert any(encoder.first_convolution.weight is parameter for parameter in encoder.stages()[0].parameters())


@each_encoder
def test_passes_in_training_are_alike_and_copies_equal(encoder: Encoder, sizes: tuple[tuple, tuple]) -> None:
    image = torch.randn(2, BANDS, 64, 64)
    encoder.train()
    with torch.no_grad():
        first, second = encoder(image), encoder(image)
        copied = deepcopy(encoder)(image)
    for one, two, three in zip(first, second, copied, strict=True):
        assert torch.equal(one, two)  # no dropout, no stochastic depth
        assert torch.equal(one, three)


@pytest.mark.full("exports a network")
@pytest.mark.extras("timm", "torchvision")
@pytest.mark.parametrize(("package", "model"), [("timm", "convnext_atto"), ("torchvision", "mobilenet_v3_small")])
def test_the_exported_network_takes_other_sizes(package: str, model: str) -> None:
    network = build_model(spec(package, model), BANDS, TASKS).eval()
    sides = {2: 32 * torch.export.Dim("rows", min=2), 3: 32 * torch.export.Dim("columns", min=2)}
    program = torch.export.export(network, (torch.randn(1, BANDS, 96, 128),), dynamic_shapes=(sides,))
    image = torch.randn(1, BANDS, 160, 64)
    with torch.no_grad():
        expected, exported = network(image), program.module()(image)
    for task, output in expected.items():
        torch.testing.assert_close(exported[task], output, rtol=1e-4, atol=1e-5)


@pytest.mark.extras("timm")
@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("resnet8", {}, r"key model: found 'resnet8'; expected one of the \d+ models of timm .*Did you mean resnet\d+"),
        ("hf-hub:timm/resnet18.a1_in1k", {}, "key model: found 'hf-hub:timm/resnet18.a1_in1k'; expected one of"),
        (
            "vit_tiny_patch16_224",
            {},
            "timm vit_tiny_patch16_224: found .*; expected a network that takes images of any",
        ),
        ("tresnet_m", {}, "found 0 convolutions that the image's bands enter"),
        ("resnet18", {"pretrained": True}, "key pretrained: found a key; expected other arguments of the model. Leave"),
        ("resnet18", {"depth": 3}, "encoder timm: found TypeError: .*'depth' for .*depth: 3"),
    ],
)
def test_timm_refuses_what_is_no_encoder(model: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        encoder_of("timm", model, **options)


@pytest.mark.extras("torchvision")
@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("resnet19", {}, r"key model: found 'resnet19'; expected one of the \d+ classif.*Did you mean resnet1"),
        ("vit_b_16", {}, "torchvision vit_b_16: found AssertionError .*; expected a network that takes images of any"),
        ("squeezenet1_1", {}, "expected features of at least two of the strides 2, 4, 8, 16 and 32"),
        ("resnet18", {"weights": "DEFAULT"}, "key weights: found a key; expected other arguments of the model"),
        ("resnet18", {"depth": 3}, "encoder torchvision: found TypeError: .*'depth' for .*depth: 3"),
    ],
)
def test_torchvision_refuses_what_is_no_encoder(model: str, options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        encoder_of("torchvision", model, **options)


@pytest.mark.extras("timm")
def test_the_tag_of_weights_is_a_part_of_timms_names_and_stochastic_depth_an_option() -> None:
    encoder = encoder_of("timm", "convnext_atto.d2_in1k", drop_path_rate=0.5)
    image = torch.randn(2, 4, 64, 64)
    assert not torch.equal(encoder(image)[-1], encoder(image)[-1])
    encoder.eval()
    assert torch.equal(encoder(image)[-1], encoder(image)[-1])
