"""The context of a network: its features of the surroundings lie where the image does, and an image alone has none."""

from typing import Any

import pytest
import torch
from torch import Tensor

from mtlaerial.config.context import ContextSpec
from mtlaerial.models.context import Context, lone_surroundings
from mtlaerial.models.encoder_decoder import EncoderDecoder
from support import networks
from support.networks import SmallEncoder

BANDS = 3


class Means(SmallEncoder):
    """The means of bands over squares as features: the surroundings' show where they are from."""

    def __init__(self, strides: tuple[int, ...]) -> None:
        super().__init__(BANDS, strides)
        self.channels = (BANDS,) * len(strides)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.nn.functional.avg_pool2d(image, stride) for stride in self.strides)


def transparent(scale: int, strides: tuple[int, ...]) -> Context:
    """Return a context that adds the surroundings' finest features as they are, whatever joins them."""
    context = Context(ContextSpec.parse({"scale": scale}, "context"), Means(strides), BANDS)
    context.fusion.forward = lambda encoded: encoded[0]
    context.project = torch.nn.Identity()
    return context.eval()


@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
@pytest.mark.parametrize("strides", [(2, 4, 8, 16, 32), (4, 8, 16, 32), (1, 8, 32), (2, 4, 8, 16)])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_features_of_the_surroundings_are_of_the_place_that_they_are_added_to(
    scale: int, strides: tuple[int, ...], size: tuple[int, int]
) -> None:
    # Each pixel's value is its place, in pixels of the image from the centre: so are the means of both.
    rows, columns = size
    offsets = [torch.arange(length) + 0.5 - length / 2 for length in (rows, columns)]
    place = torch.stack([*torch.meshgrid(*offsets, indexing="ij"), torch.zeros(size)])[None]
    context, encoder = transparent(scale, strides), Means(strides)
    both = context.unstacked(torch.cat([place, scale * place], dim=1))
    joined = context.joined(encoder(both), 1)
    coarsest = encoder(place)[-1]
    torch.testing.assert_close(joined[-1] - coarsest, coarsest, rtol=0, atol=1e-3)
    for fine, expected in zip(joined[:-1], encoder(place)[:-1], strict=True):
        assert torch.equal(fine, expected)


def test_an_image_alone_is_a_raster_with_nothing_around_it() -> None:
    image = torch.rand(2, BANDS, 32, 64)
    around = lone_surroundings(image, 4)
    assert around.shape == image.shape
    assert around[:, :, 12:20, 24:40].count_nonzero() == around.count_nonzero() == 2 * BANDS * 8 * 16
    torch.testing.assert_close(around[0, 0, 12, 24], image[0, 0, :4, :4].mean())


@pytest.fixture(scope="module")
def network() -> EncoderDecoder:
    torch.manual_seed(0)
    network = networks.built("context")
    for _ in range(2):
        network(torch.rand(2, BANDS, 64, 64) * 2 - 1)
    assert isinstance(network, EncoderDecoder)
    return network.eval()


def output(network: EncoderDecoder, image: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(image)["height"]


def test_what_is_known_of_the_surroundings_matters(network: EncoderDecoder) -> None:
    image = torch.rand(1, BANDS, 64, 64) * 2 - 1
    alone = torch.cat([image, lone_surroundings(image, 4)], dim=1)
    torch.testing.assert_close(output(network, alone), output(network, image))
    dark = torch.cat([image, torch.full_like(image, -1.0)], dim=1)
    with torch.inference_mode():
        change = network.encode(dark)[-1] - network.encode(image)[-1]
    assert change.abs().min() > 1e-4


@pytest.mark.parametrize("turn", [lambda x: x.flip(-1), lambda x: torch.rot90(x, 1, (-2, -1))])
def test_surroundings_turn_with_their_image(turn: Any) -> None:
    context = transparent(4, (2, 4, 8, 16, 32))
    stack = torch.rand(1, 2 * BANDS, 64, 64)
    encoder = Means((2, 4, 8, 16, 32))
    joined, turned = (context.joined(encoder(context.unstacked(each)), 1)[-1] for each in (stack, turn(stack)))
    torch.testing.assert_close(turned, turn(joined))


def test_neither_more_nor_fewer_channels_are_taken(network: EncoderDecoder) -> None:
    for channels in (BANDS - 1, BANDS + 1, 3 * BANDS):
        with pytest.raises((RuntimeError, ValueError)):
            output(network, torch.rand(1, channels, 64, 64))
