"""Networks of an encoder by name and a decoder without transposed convolutions."""

from collections.abc import Collection, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from mtlaerial.config import EncoderDecoderSpec, Task
from mtlaerial.config.encoder import ENCODERS, DecoderSpec, EncoderSpec
from mtlaerial.models.context import Context
from mtlaerial.models.decoders.exchange import Exchange
from mtlaerial.models.decoders.fusion import FusionDecoder
from mtlaerial.models.decoders.head import FINEST, Head
from mtlaerial.models.decoders.layers import conv_norm_relu
from mtlaerial.models.decoders.resize import ResizeDecoder
from mtlaerial.models.encoders.encoder import Encoder
from mtlaerial.models.network import COARSEST, Network, Trunk
from mtlaerial.models.registered import build_registered

DECODED = 4
"""Least stride of the features that a decoder joins; the cost of a layer grows with its area, and heads take finer
features as they are."""
NARROWER = 4
"""Channels of the decoder's features per channel of those of the image's own pixels."""
STRIDES = tuple(2**power for power in range(COARSEST.bit_length()))
"""Strides that decoders take: those that divide the sides of a padded image."""
Decoder = FusionDecoder | ResizeDecoder
DECODERS: dict[str, type[Decoder]] = {"fusion": FusionDecoder, "resize": ResizeDecoder}


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
    """An encoder, with its input scaled to what its weights expect, and the decoder that all tasks share.

    Parameters
    ----------
    encoder : Encoder
    spec : EncoderDecoderSpec
    bands : int
        Bands of the image; with a context its surroundings may stand behind them (:mod:`mtlaerial.models.context`).

    Attributes
    ----------
    channels, strides : tuple of int
        Of the features: the decoder's, then the encoder's finer ones, from coarse to fine.
    pixels : int
        Channels of the features of the image's own pixels, which stand last; 0 where none are asked for, or the
        encoder has some.
    """

    def __init__(self, encoder: Encoder, spec: EncoderDecoderSpec, bands: int) -> None:
        super().__init__()
        self.scaling = InputScaling(bands)
        self.encoder = encoder
        self.context = Context(spec.context, encoder, bands) if spec.context else None
        self.finer = sum(stride < DECODED for stride in encoder.strides)
        build = DECODERS[spec.decoder.name]
        self.decoder = build(encoder.channels[self.finer :], encoder.strides[self.finer :], spec.decoder.channels)
        self.channels = (self.decoder.channels, *encoder.channels[: self.finer][::-1])
        self.strides = (self.decoder.stride, *encoder.strides[: self.finer][::-1])
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else nn.Identity()
        lacking = spec.decoder.finest < min(encoder.strides[0], FINEST)
        self.pixels = max(1, spec.decoder.channels // NARROWER) if lacking else 0
        self.stem = conv_norm_relu(bands, self.pixels) if lacking else None

    def encode(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return the features of the scaled image, from fine to coarse.

        They are the encoder's, to which with a context those of the surroundings are added, after those of the pixels.
        """
        batch = image.shape[0]  # torch.export takes len() for a constant
        scaled = self.scaling(image if self.context is None else self.context.unstacked(image))
        encoded: tuple[Tensor, ...] = self.encoder(scaled)
        if self.context is not None:
            encoded = self.context.joined(encoded, batch)
        return encoded if self.stem is None else (self.stem(scaled[:batch]), *encoded)

    def decode(self, encoded: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the decoder's features and the finer ones, each of shape (batch, channels, rows / stride, …)."""
        finer = self.finer if self.stem is None else self.finer + 1
        return (self.dropout(self.decoder(encoded[finer:])), *reversed(encoded[:finer]))


class EncoderDecoder(Network):
    """An encoder, a shared decoder, and a head per task, which may take features from each other.

    Parameters
    ----------
    spec : EncoderDecoderSpec
    bands : int
        Bands of the image.
    outputs : mapping of task to int
        Channels of each task's output.

    Attributes
    ----------
    sources : ModuleDict
        Embeddings of the tasks whose outputs were removed, as far as the heads left take features from them.

    Raises
    ------
    ConfigError
        When the encoder cannot be built: an option is wrong, or a package is missing.
    """

    def __init__(self, spec: EncoderDecoderSpec, bands: int, outputs: Mapping[Task, int]) -> None:
        encoder = build_encoder(spec.encoder, bands)
        trunk = EncoderDecoderTrunk(encoder, spec, bands)
        heads = {task: _build_head(task, spec.decoder, trunk, outputs) for task in outputs}
        super().__init__(trunk, heads, spec.reduction)
        self.exchanging = spec.decoder.exchange != "none" and len(outputs) > 1
        self.sources = nn.ModuleDict()

    def run_heads(self, features: tuple[Tensor, ...]) -> dict[Task, Tensor]:
        """Return each head's output, at the resolution of the reduced image."""
        if not self.exchanging:
            return super().run_heads(features)
        embeddings = {str(task): self._head(task).embedding(features) for task in self.tasks}
        embeddings |= {task: embedding(features) for task, embedding in self.sources.items()}
        return {task: self._head(task).output(embeddings[task], features, embeddings) for task in self.tasks}

    def restrict(self, tasks: Collection[Task]) -> None:
        """Remove the outputs of all other tasks; what the remaining heads take from them stays."""
        removed = {str(task): self._head(task).embedding for task in self.tasks if task not in tasks}
        super().restrict(tasks)
        if self.exchanging:
            self.sources.update(removed)

    def compiled_parts(self) -> list[nn.Module]:
        """Return the trunk and the parts of the heads that are called one by one."""
        if not self.exchanging:
            return super().compiled_parts()
        return [self.trunk, *(part for head in self.heads.values() for part in head.children())]

    def _head(self, task: Task) -> Head:
        return cast("Head", self.heads[task])


def build_encoder(spec: EncoderSpec, bands: int) -> Encoder:
    """Build an encoder by name.

    Raises
    ------
    ConfigError
        When an option is wrong, a package is missing, or another package registers no encoder.
    """
    encoder = build_registered(ENCODERS, spec.name, Encoder, spec.options, bands=bands)
    _require_scales(spec.name, encoder)
    return encoder


def _require_scales(name: str, encoder: Encoder) -> None:
    """Refuse an encoder, perhaps of another package, whose scales no decoder can join."""
    channels, strides = tuple(getattr(encoder, "channels", ())), tuple(getattr(encoder, "strides", ()))
    ascending = list(strides) == sorted(set(strides)) and set(strides) <= set(STRIDES)
    if len(channels) != len(strides) or not ascending or max(strides, default=0) < DECODED:
        problem = f"strides {strides} with channels {channels}"
        listed = ", ".join(map(str, STRIDES))
        expected = f"ascending strides among {listed}, one of them at least {DECODED}, and the channels of each"
        raise ENCODERS.registered_wrongly(name, problem, expected)


def _build_head(task: Task, spec: DecoderSpec, trunk: EncoderDecoderTrunk, outputs: Mapping[Task, int]) -> Head:
    sources = [source for source in outputs if source != task]
    exchange = Exchange(spec.exchange, spec.head, sources) if sources and spec.exchange != "none" else None
    return Head(trunk.channels, trunk.strides, spec.head, outputs[task], exchange, trunk.pixels)
