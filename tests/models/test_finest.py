"""Heads that end at the resolution of the network's input: what they see, where it is computed, and what is shared."""

from collections import Counter

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.config import EncoderDecoderSpec
from mtlaerial.errors import ConfigError
from mtlaerial.models.encoder_decoder import EncoderDecoder
from mtlaerial.models.parts import network_parts
from mtlaerial.prediction.monte_carlo_dropout import dropout_forward
from support import networks

FINEST = ["finest 1", "finest 1 of 4 to 32", "finest 1 of 2 to 32"]
"""Networks whose encoders have no features of the image's resolution."""


def image(bands: int = 3, side: int = 64) -> Tensor:
    return torch.rand(1, bands, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def built(name: str, **decoder: object) -> EncoderDecoder:
    """Return a network whose batch norms have seen an image."""
    spec = networks.network_spec(name)
    assert isinstance(spec, EncoderDecoderSpec)
    torch.manual_seed(0)
    network = networks.built(name, decoder={**spec.decoder.model_dump(), **decoder})
    with torch.no_grad():
        network(image(side=128))
    assert isinstance(network, EncoderDecoder)
    return network.eval()


def fine_share(heights: Tensor) -> float:
    """Return the share of the variance along rows with periods below four pixels, which doubling cannot give."""
    power = torch.fft.rfft(heights - heights.mean(dim=-1, keepdim=True)).abs().square().mean(dim=(0, 1, 2))
    return float(power[power.numel() // 2 :].sum() / power[1:].sum())


@torch.inference_mode()
def test_heights_follow_single_pixels_where_heads_see_them() -> None:
    noise = image(side=128)
    fine, half = (fine_share(built("finest 1 of 2 to 32", finest=stride)(noise)["height"]) for stride in (1, 2))
    assert half < 0.05
    assert fine > 5 * half


@pytest.mark.parametrize("name", FINEST)
@torch.inference_mode()
def test_features_of_pixels_are_the_last_and_of_the_reduced_image_s_size(name: str) -> None:
    network = built(name)
    side = 64 // network.reduction
    features = network.features(image())
    assert features[-1].shape == (1, networks.SMALL["channels"] // 4, side, side)
    sides = [feature.shape[-1] for feature in features]
    assert sides == sorted(set(sides))


@torch.inference_mode()
def test_surroundings_are_no_pixels_of_the_image() -> None:
    network = built("finest 1")
    alone, dark = (torch.cat([image(), torch.full_like(image(), value)], dim=1) for value in (0.0, -1.0))
    pixels, others = (network.encode(each) for each in (alone, dark))
    assert torch.equal(pixels[0], others[0])
    assert not torch.equal(pixels[-1], others[-1])
    torch.testing.assert_close(pixels[0], network.encode(image())[0])


def test_dropout_passes_see_the_pixels_once() -> None:
    network, calls = built("finest 1 of 2 to 32"), Counter[str]()
    for name, layer in network.trunk.named_children():
        layer.register_forward_hook(lambda *_, name=name: calls.update([name]))
    passes = dropout_forward(network, "32-true", torch.device("cpu"), 3, seed=0)(image())
    assert len(list(passes)) == 3
    assert calls["encoder"] == calls["stem"] == 1
    assert calls["decoder"] == 3


def test_all_weights_but_the_last_layers_are_those_of_heads_at_half_resolution() -> None:
    whole, half = (built("finest 1 of 2 to 32", finest=stride).state_dict() for stride in (1, 2))
    assert set(half) < set(whole)
    added = set(whole) - set(half)
    prefixes = ("trunk.stem.", *(f"heads.{task}.output.finest." for task in networks.OUTPUTS))
    assert {next(prefix for prefix in prefixes if name.startswith(prefix)) for name in added} == set(prefixes)
    changed = {name for name in half if half[name].shape != whole[name].shape}
    assert changed == {f"heads.{task}.output.last.weight" for task in networks.OUTPUTS}


def test_the_convolution_of_the_pixels_is_shared_and_no_part_of_the_encoder() -> None:
    network = built("finest 1 of 2 to 32")
    assert network.trunk.stem is not None
    convolution = network.trunk.stem[0]
    assert isinstance(convolution, nn.Conv2d)
    parts = network_parts(network)
    assert any(parameter is convolution.weight for parameter in parts["decoder"].parameters)
    assert not any(parameter is convolution.weight for parameter in parts["encoder"].parameters)


def test_an_encoder_with_features_of_every_pixel_needs_no_others() -> None:
    whole, half = (built("finest 1 of 1, 8, 32", finest=stride).state_dict() for stride in (1, 2))
    assert {name: tensor.shape for name, tensor in whole.items()} == {name: half[name].shape for name in half}


def test_the_default_leaves_plain_data_as_before() -> None:
    at_half, at_full = (networks.network_spec("fusion", decoder={"finest": stride}) for stride in (2, 1))
    assert at_half.model_dump(mode="json") == networks.network_spec("fusion", decoder={}).model_dump(mode="json")
    assert "finest" not in str(at_half.model_dump(mode="json"))
    assert at_half.architecture == "small, fusion"
    assert at_full.architecture == "small, fusion, finest 1"


@pytest.mark.parametrize("stride", [0, 4, True, "1"])
def test_other_strides_are_refused(stride: object) -> None:
    with pytest.raises(ConfigError, match=r"key decoder\.finest: found .*expected (1 or 2|a whole number)"):
        EncoderDecoderSpec.parse({"encoder": "small", "decoder": {"finest": stride}}, "models.net")
