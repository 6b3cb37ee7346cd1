"""Encoders from networks of other libraries, on small networks of a few convolutions."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mtlaerial.errors import ConfigError
from mtlaerial.models.depthwise import DepthwiseConv2d
from mtlaerial.models.encoders.foreign import ForeignEncoder

BANDS = 5


class Chain(nn.Module):
    """Strided convolutions with a gain per scale; outputs of every one, the last with its channels last."""

    def __init__(self, *strides: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(BANDS)
        self.gain = nn.Parameter(torch.ones(len(strides)))
        self.first_gain = nn.Parameter(torch.ones(1))
        layers, entry = [], BANDS
        for scale, stride in enumerate(strides):
            channels = 4 + 2 * scale
            depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
            layers.append(nn.Sequential(nn.Conv2d(entry, channels, 1, stride), depthwise, nn.Dropout(0.5)))
            entry = channels
        self.layers = nn.ModuleList(layers)

    def forward(self, image: Tensor) -> list[Tensor]:
        features = self.norm(image) * self.first_gain
        outputs = []
        for layer in self.layers:
            features = layer(features)
            outputs.append(features)
        outputs[-1] = (outputs[-1] * self.gain.sum()).permute(0, 2, 3, 1)
        return outputs


class TwoEntries(Chain):
    def __init__(self) -> None:
        super().__init__(2, 2)
        self.beside = nn.Conv2d(BANDS, 4, 1, 2)

    def forward(self, image: Tensor) -> list[Tensor]:
        fine, coarse = super().forward(image)
        return [fine + self.beside(image), coarse]


class FixedSize(Chain):
    def forward(self, image: Tensor) -> list[Tensor]:
        if image.shape[-1] != 224:
            raise ValueError("only 224 columns.")
        return super().forward(image)


class Idle(Chain):
    def __init__(self) -> None:
        super().__init__(2, 2)
        self.head = nn.Linear(6, 10)


class Unfolded(Chain):
    """No convolution of the bands: their pixels are brought into the channels first."""

    def __init__(self) -> None:
        super().__init__(1, 2)
        self.layers[0][0] = nn.Conv2d(4 * BANDS, 4, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        fine = self.layers[0](nn.functional.pixel_unshuffle(image * self.first_gain, 2))
        return [self.gain.sum() * fine + self.norm.weight.sum() + self.norm.bias.sum(), self.layers[1](fine)]


def test_scales_channels_and_the_first_convolution_are_measured() -> None:
    encoder = ForeignEncoder(Chain(1, 2, 1, 4), BANDS, "chain")
    assert encoder.strides == (2, 8)
    assert encoder.channels == (8, 10)  # of two outputs of the same stride the later one, of none at the image's stride
    assert encoder.first_convolution is encoder.network.layers[0][0]
    features = encoder(torch.randn(2, BANDS, 64, 40))
    assert [tuple(each.shape) for each in features] == [(2, 8, 32, 20), (2, 10, 8, 5)]
    expected = encoder.network(torch.ones(1, BANDS, 32, 32))[-1]
    torch.testing.assert_close(encoder(torch.ones(1, BANDS, 32, 32))[-1].permute(0, 2, 3, 1), expected)


def test_stages_hold_every_parameter_once_from_the_image_on() -> None:
    encoder = ForeignEncoder(Chain(2, 2, 2), BANDS, "chain")
    stages = [{id(parameter) for parameter in stage.parameters()} for stage in encoder.stages()]
    network = encoder.network
    assert id(network.first_gain) in stages[0]
    assert id(network.gain) in stages[2]
    for layer, stage in zip(network.layers, stages, strict=True):
        assert {id(parameter) for parameter in layer.parameters()} <= stage
    assert sum(map(len, stages)) == len({*stages[0], *stages[1], *stages[2]}) == len(list(encoder.parameters()))


def test_measuring_changes_no_statistics_and_draws_no_random_numbers() -> None:
    network = Chain(2, 2)
    state = torch.get_rng_state()
    encoder = ForeignEncoder(network, BANDS, "chain")
    assert torch.equal(torch.get_rng_state(), state)
    assert int(network.norm.num_batches_tracked) == 0
    assert all(module.training for module in encoder.modules())
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_dropout_is_removed_and_depthwise_convolutions_train_in_float32() -> None:
    encoder = ForeignEncoder(Chain(2, 2), BANDS, "chain")
    assert not [module for module in encoder.modules() if isinstance(module, nn.Dropout)]
    assert isinstance(encoder.network.layers[0][1], DepthwiseConv2d)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: FixedSize(2, 2), r"found ValueError \(only 224 columns\) for an image of 32 x 96 pixels"),
        (
            lambda: Chain(2, 1),
            r"\(1, 4, 16, 48\), \(1, 16, 48, 6\).*expected features of at least two of the strides 2",
        ),
        (lambda: Chain(3, 3, 3), "expected features of at least two of the strides"),
        (TwoEntries, "found 2 convolutions that the image's bands enter; expected one"),
        (Unfolded, "found 0 convolutions that the image's bands enter; expected one"),
        (Idle, r"found 2 parameters that no feature depends on, e.g. head.weight; expected a network all of whose"),
    ],
)
def test_a_network_that_cannot_be_an_encoder_is_refused(build: Callable[[], nn.Module], words: str) -> None:
    with pytest.raises(ConfigError, match=f"^encoder example: .*{words}"):
        ForeignEncoder(build(), BANDS, "example")
