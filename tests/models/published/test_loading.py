"""Weights of an encoder in a network: bands by name, the values that they expect, and refusals."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.config.encoder import ENCODERS, LIBRARIES
from mtlaerial.config.sources import PUBLISHED, WeightsInput
from mtlaerial.errors import ConfigError
from mtlaerial.models import Network, Trunk
from mtlaerial.models.encoder_decoder import InputScaling
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.models.published import form
from mtlaerial.models.published.loading import load_encoder
from mtlaerial.models.published.weights_file import (
    EncoderWeights,
    WeightsFacts,
    read_encoder_weights,
    save_encoder_weights,
)

EXPECTED = WeightsInput(bands=("red", "green", "blue"), mean=(120.0, 110.0, 100.0), deviation=(60.0, 50.0, 40.0))


class TinyEncoder(Encoder):
    """Two convolutions; the first has a bias."""

    channels, strides = (4,), (2,)

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.later = nn.Conv2d(4, 4, 1)
        self.first = nn.Conv2d(bands, 4, 3, stride=2, padding=1)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return (self.later(self.first(image)),)

    @property
    def first_convolution(self) -> nn.Conv2d:
        return self.first

    def stages(self) -> list[nn.Module]:
        return [self.first, self.later]


@pytest.fixture(autouse=True)
def tiny_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "TINY", form.PublishedForm(dict, EXPECTED), raising=False)
    monkeypatch.setattr(
        "mtlaerial.config.registry.Registry.targets",
        lambda self: {**PUBLISHED.builtin, "tiny": f"{form.__name__}:TINY"},
    )


class TinyTrunk(Trunk):
    """The encoder of a scaled image, and nothing else."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.scaling, self.encoder = InputScaling(bands), TinyEncoder(bands)

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.encoder(self.scaling(image))

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return encoded


def network(bands: int) -> Network:
    return Network(TinyTrunk(bands), {})


def weights(**tensors: Tensor | None) -> EncoderWeights:
    """Return weights for three bands, with changed tensors, or without those that are None."""
    torch.manual_seed(1)
    state = {**TinyEncoder(3).state_dict(), **{name.replace("_", "."): value for name, value in tensors.items()}}
    facts = WeightsFacts(name="tiny", encoder="tiny", input=EXPECTED, sha256="0" * 64)
    return EncoderWeights(Path("tiny.pth"), facts, {name: value for name, value in state.items() if value is not None})


def published_features(image: Tensor) -> Tensor:
    """Return the features that the published encoder has of an image of red, green and blue from 0 to 255."""
    encoder = TinyEncoder(3)
    encoder.load_state_dict(weights().tensors)
    mean, deviation = torch.tensor([EXPECTED.mean, EXPECTED.deviation])[:, :, None, None]
    return encoder((image - mean) / deviation)[0]


def features(image: Tensor, bands: Sequence[str], new_bands: dict[str, str] | None = None) -> Tensor:
    """Return a network's features of an image from 0 to 255, once it has the published weights."""
    begun = network(len(bands))
    load_encoder(begun, weights(), bands, new_bands)
    return begun.trunk.encode(Normalisation(0, 255)(image))[0]


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255


def test_network_computes_the_published_features_of_the_file_s_values(image: Tensor) -> None:
    torch.testing.assert_close(features(image, EXPECTED.bands), published_features(image), rtol=1e-4, atol=1e-4)


def test_bands_are_matched_by_name_with_the_values_that_each_expects(image: Tensor) -> None:
    swapped = features(image.flip(1), ("blue", "green", "red"))
    torch.testing.assert_close(swapped, published_features(image), rtol=1e-4, atol=1e-4)


def test_new_band_of_zeros_is_not_seen(image: Tensor) -> None:
    four = torch.cat([torch.full_like(image[:, :1], 77), image], dim=1)
    result = features(four, ("nir", *EXPECTED.bands), {"nir": "zero"})
    torch.testing.assert_close(result, published_features(image), rtol=1e-4, atol=1e-4)


def test_band_that_takes_after_another_expects_its_values(image: Tensor) -> None:
    renamed = features(image, ("R", "G", "B"), {"R": "red", "G": "green", "B": "blue"})
    torch.testing.assert_close(renamed, published_features(image), rtol=1e-4, atol=1e-4)


def test_band_of_mean_kernels_expects_mean_values() -> None:
    begun = network(4)
    load_encoder(begun, weights(), ("red", "green", "blue", "nir"), {"nir": "mean"})
    scaling = begun.trunk.scaling
    expected = [(127.5 - mean) / deviation for mean, deviation in zip(EXPECTED.mean, EXPECTED.deviation, strict=True)]
    torch.testing.assert_close(scaling.shift, torch.tensor([*expected, sum(expected) / 3]))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"later_weight": torch.zeros(5, 4, 1, 1)},
            "tiny.pth, later.weight: found the shape (5, 4, 1, 1); expected the shape (4, 4, 1, 1), as in the "
            "network's encoder. Leave the sizes of the model",
        ),
        (
            {"first_weight": torch.zeros(4, 5, 3, 3)},
            "first.weight: found the shape (4, 5, 3, 3); expected 3 bands in its second place, as their input is red",
        ),
        ({"first_weight": torch.zeros(5, 3, 3, 3)}, "first.weight: found the shape (5, 3, 3, 3); expected the shape"),
        ({"first_bias": None}, "first.bias: found no such tensor; expected the shape (4,)"),
        ({"other_weight": torch.zeros(1)}, "other.weight: found the shape (1,); expected no such tensor"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(
    tensors: dict[str, Tensor | None], message: str
) -> None:
    begun = network(3)
    before = {name: value.clone() for name, value in begun.state_dict().items()}
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_encoder(begun, weights(**tensors), EXPECTED.bands)
    assert all(torch.equal(value, before[name]) for name, value in begun.state_dict().items())


def test_band_that_the_weights_do_not_know_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"new_bands: found no entry for the band nir .*weights that know red, green"):
        load_encoder(network(4), weights(), ("red", "green", "blue", "nir"))


def test_weights_of_other_bands_than_stated_are_refused_though_they_fit_the_network() -> None:
    """Else bands would be matched by their places, and rules for new ones left out."""
    four = weights(first_weight=torch.zeros(4, 4, 3, 3))
    with pytest.raises(ConfigError, match=r"found the shape \(4, 4, 3, 3\); expected 3 bands .*pretrained.NAME.input"):
        load_encoder(network(4), four, ("nir", "red", "green", "blue"), {"nir": "mean"})


def test_rule_for_a_band_of_weights_without_a_first_convolution_is_refused() -> None:
    partial = weights(first_weight=None)
    partial = replace(partial, facts=partial.facts.model_copy(update={"input": None}))
    with pytest.raises(ConfigError, match=r"new_bands: found a rule for nir; expected none, as the weights have no"):
        load_encoder(network(4), partial, ("nir", "red", "green", "blue"), {"nir": "mean"})


def test_network_that_cannot_scale_its_image_is_refused() -> None:
    begun = network(3)
    begun.trunk.scaling = nn.Identity()
    before = begun.trunk.encoder.first.weight.clone()
    with pytest.raises(ConfigError, match=r"trunk does not scale its image; expected .*InputScaling, as tiny\.pth"):
        load_encoder(begun, weights(), EXPECTED.bands)
    assert torch.equal(begun.trunk.encoder.first.weight, before)


def test_weights_and_what_is_known_of_them_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_encoder_weights(path, weights())
    restored = read_encoder_weights(path, "tiny")
    assert restored.facts == weights().facts
    assert all(torch.equal(tensor, weights().tensors[name]) for name, tensor in restored.tensors.items())
    with pytest.raises(ConfigError, match=r"found weights of tiny; expected those of the model's encoder, convnext"):
        read_encoder_weights(path, "convnext_tiny")


def test_file_without_facts_is_converted_for_the_model_s_encoder(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pth"
    torch.save(weights().tensors, path)
    restored = read_encoder_weights(path, "tiny")
    assert (restored.facts.name, restored.facts.input) == ("checkpoint.pth", EXPECTED)
    with pytest.raises(ConfigError, match=r"checkpoint\.pth: found weights without the name of their encoder"):
        read_encoder_weights(path, None)


def test_damaged_facts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    save_encoder_weights(path, weights())
    content = path.read_bytes()
    path.write_bytes(content.replace(rb"\"encoder\"", rb"\"encoded\""))
    with pytest.raises(ConfigError, match=r"tiny\.safetensors, key encoded: found an unknown key"):
        read_encoder_weights(path, "tiny")


@pytest.mark.parametrize("encoder", sorted(PUBLISHED.builtin.keys() - set(LIBRARIES)))
def test_every_form_is_of_an_encoder_and_says_what_it_expects(encoder: str) -> None:
    assert encoder in ENCODERS.builtin
    registered = form.published_form(encoder)
    assert (registered.input is None) == (encoder == "densenet121")
    assert registered.input is None or registered.input.bands == ("red", "green", "blue")


def test_expected_values_are_those_of_the_publishers() -> None:
    """torchvision scales to 0 to 1, then by mean and deviation of ImageNet; EfficientNet-Lite is (v - 127) / 128."""
    values = torch.tensor([0.0, 127.0, 255.0])
    for encoder, mean, deviation in (
        ("convnext_tiny", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("swin_v2_b", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("efficientnet_lite0", (127 / 255,) * 3, (128 / 255,) * 3),
    ):
        expected = form.published_form(encoder).input
        assert expected is not None
        scale, shift = form.band_scaling(expected, list(expected.bands))
        for band in range(3):
            scaled = Normalisation(0, 255)(values) * scale[band] + shift[band]
            torch.testing.assert_close(scaled, (values / 255 - mean[band]) / deviation[band])


def test_text_of_a_file_from_elsewhere_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    facts = weights().facts.model_copy(update={"name": "a\x1b[2Jb\nlicence MIT"})
    save_encoder_weights(tmp_path / "tiny.safetensors", replace(weights(), facts=facts))
    assert read_encoder_weights(tmp_path / "tiny.safetensors", "tiny").facts.name == r"a\x1b[2Jb\nlicence MIT"
