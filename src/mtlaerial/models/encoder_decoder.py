"""Networks of an encoder by name and a decoder without transposed convolutions."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mtlaerial.config import EncoderDecoderSpec, Task
from mtlaerial.config.encoder import ENCODERS, DecoderSpec, EncoderSpec
from mtlaerial.models.decoders.head import Head
from mtlaerial.models.decoders.resize import ResizeDecoder
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.network import Network, Trunk
from mtlaerial.models.registered import build_registered

DECODERS = {"resize": ResizeDecoder}


class InputScaling(nn.Module):
    """Linear map of each band from [-1, 1] to the values that the weights of the encoder expect.

    The buffers are part of a run's weights, so that a run says by itself what its encoder gets.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(bands))
        self.register_buffer("shift", torch.zeros(bands))

    def forward(self, image: Tensor) -> Tensor:
        """Return the scaled image, shape (batch, bands, rows, columns)."""
        return image * self.scale[:, None, None] + self.shift[:, None, None]


class EncoderDecoderTrunk(Trunk):
    """An encoder, with its input scaled to what its weights expect, and the decoder that all tasks share."""

    def __init__(self, encoder: Encoder, decoder: nn.Module, bands: int, dropout: float) -> None:
        super().__init__()
        self.scaling = InputScaling(bands)
        self.encoder = encoder
        self.decoder = decoder
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's features of the scaled image."""
        return self.encoder(self.scaling(image))  # type: ignore[no-any-return]  # a module gives Any

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the decoder's features, shape (batch, channels, rows / stride, columns / stride)."""
        return (self.dropout(self.decoder(encoded)),)


class EncoderDecoder(Network):
    """An encoder, a shared decoder, and a head per task.

    Parameters
    ----------
    spec : EncoderDecoderSpec
    bands : int
        Bands of the image.
    outputs : mapping of task to int
        Channels of each task's output.

    Raises
    ------
    ConfigError
        When the encoder cannot be built: an option is wrong, or a package is missing.
    """

    def __init__(self, spec: EncoderDecoderSpec, bands: int, outputs: Mapping[Task, int]) -> None:
        encoder = build_encoder(spec.encoder, bands)
        decoder = DECODERS[spec.decoder.name](encoder.channels, encoder.strides, spec.decoder.channels)
        trunk = EncoderDecoderTrunk(encoder, decoder, bands, spec.dropout)
        super().__init__(trunk, _heads(spec.decoder, decoder.stride, outputs), spec.reduction)


def build_encoder(spec: EncoderSpec, bands: int) -> Encoder:
    """Build an encoder by name.

    Raises
    ------
    ConfigError
        When an option is wrong, a package is missing, or another package registers no encoder.
    """
    return build_registered(ENCODERS, spec.name, Encoder, bands=bands, **spec.options)


def _heads(spec: DecoderSpec, stride: int, outputs: Mapping[Task, int]) -> dict[Task, nn.Module]:
    return {task: Head(spec.channels, spec.head, channels, stride) for task, channels in outputs.items()}
