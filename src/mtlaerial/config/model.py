"""A network of the section ``models``: D3Net, an encoder with a decoder, or a network of another package."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Tag, field_validator

from mtlaerial.config.annotations import tagged
from mtlaerial.config.base import Section
from mtlaerial.config.context import ContextSpec
from mtlaerial.config.encoder import ENCODERS, NETWORKS, Decoder, DecoderSpec, Encoder, require_registered
from mtlaerial.config.numbers import Channels, Fraction, Layers
from mtlaerial.config.start import NO_WEIGHTS, StartSpec

Reduction = Literal[1, 2, 4]


Start = Annotated[
    Annotated[str, Tag(tagged("source"))] | Annotated[StartSpec, Tag(tagged("start"))],
    Discriminator(lambda value: tagged("start" if isinstance(value, Mapping | StartSpec) else "source")),
]
"""Initial weights: a source, or a section of it and of how they are fine-tuned; none for random weights."""


class NetworkSpec(Section):
    """The keys that all networks have; each declares them itself, in its own order and with its own defaults."""

    KIND: ClassVar[str]

    if TYPE_CHECKING:
        name: str
        reduction: Reduction
        dropout: Fraction
        pretrained: Start

    @property
    def multiple(self) -> int:
        """Divisor of rows and columns of an image: it is reduced, then halved five times."""
        return 32 * self.reduction

    @property
    def architecture(self) -> str:
        """The network's name for people."""
        return self.name

    @property
    def checkpoints(self) -> bool:
        """Whether ``training.checkpointing`` may save memory; of another package's network nothing is known."""
        return True

    @property
    def encoder_name(self) -> str | None:
        """Identity of the encoder, which published weights must be of; None where it is not known."""
        return None

    @property
    def context_scale(self) -> int | None:
        """How many times as wide as its patches and windows the area is that it sees; None for no more than these."""
        return None

    @property
    def start(self) -> StartSpec | None:
        """Initial weights; None for random ones."""
        if isinstance(self.pretrained, StartSpec):
            return self.pretrained
        return None if self.pretrained == NO_WEIGHTS else StartSpec(source=self.pretrained)


class D3NetSpec(NetworkSpec):
    """D3Net, at the original's size or smaller."""

    KIND = "d3net"

    name: Literal["d3net"] = "d3net"
    """The kind of network, which may be left out."""
    stem: Channels = 64
    """Channels of the two stem convolutions."""
    growth: Channels = 32
    """Channels each dense layer adds."""
    blocks: tuple[Layers, Layers, Layers, Layers] = (6, 12, 24, 16)
    """Dense layers per block."""
    bottleneck: Layers = 4
    """Channels of a dense layer's 1x1 convolution, in multiples of growth."""
    shared: tuple[Channels, Channels, Channels] = (512, 256, 128)
    """Channels of the shared decoder blocks, from coarse to fine."""
    head: tuple[Channels, Channels] = (64, 64)
    """Channels of the decoder blocks of each task, from coarse to fine."""
    reduction: Reduction = 1
    """Side in pixels of the squares that the image is averaged over first; outputs are interpolated back. For images
    that are less sharp than their pixels."""
    skips: bool = True
    """Concatenate encoder features into the decoder."""
    dropout: Fraction = 0.5
    """Rate in the two coarsest decoder blocks; 0 for none."""
    initialisation: Literal["default", "normal"] = "default"
    """Distribution of the random initial weights: PyTorch's default, or normal, as the original's code: N(0, 0.02) for
    convolutions, N(1, 0.02) for the scales of batch norms, 0 for biases. Pretrained weights replace those that they
    fit."""
    pretrained: Start = NO_WEIGHTS
    """Initial weights: a source, or a section of sources and of how they are fine-tuned, or none."""

    @property
    def encoder_name(self) -> str:
        """Name of the encoder."""
        return "densenet121"

    @property
    def architecture(self) -> str:
        """The name that its paper gives it."""
        return "D3Net"

    @classmethod
    def published_sizes(cls) -> dict[str, Any]:
        """Return the sizes that published weights of the encoder have, by key."""
        return {key: cls.model_fields[key].default for key in ("stem", "growth", "blocks", "bottleneck")}


class EncoderDecoderSpec(NetworkSpec):
    """An encoder, and a decoder without transposed convolutions."""

    KIND = "encoder_decoder"

    name: Literal["encoder_decoder"] = "encoder_decoder"
    """The kind of network, which may be left out beside ``encoder``."""
    encoder: Encoder
    """The encoder; ``mtlaerial networks`` lists them."""
    decoder: Decoder = DecoderSpec()
    """The decoder: what all tasks share after the encoder, and the heads."""
    context: ContextSpec | None = None
    """The surroundings of patches and windows that the encoder sees too; none by default."""
    reduction: Reduction = 1
    """As of D3Net."""
    dropout: Fraction = 0.1
    """Rate before the heads; 0 for none."""
    pretrained: Start = NO_WEIGHTS
    """As of D3Net."""

    @property
    def architecture(self) -> str:
        """Encoder, decoder and what is not at its default, e.g. ``efficientnet_lite0, fusion, gated, context 4``."""
        exchange = () if self.decoder.exchange == "none" else (self.decoder.exchange,)
        finest = () if self.decoder.finest == 2 else (f"finest {self.decoder.finest}",)
        context = (f"context {self.context.scale}",) if self.context else ()
        return ", ".join((self.encoder.name, self.decoder.name, *exchange, *finest, *context))

    @property
    def context_scale(self) -> int | None:
        """The scale of the context."""
        return self.context.scale if self.context else None

    @property
    def checkpoints(self) -> bool:
        """Whether the encoder is one with dense layers, or of another package."""
        return self.encoder.name == "densenet121" or self.encoder.name not in ENCODERS.builtin

    @property
    def encoder_name(self) -> str:
        """Identity of the encoder."""
        return self.encoder.identity


class PackagedSpec(NetworkSpec):
    """A network of another package, which registers it by an entry point of the group ``mtlaerial.networks``."""

    KIND = "packaged"

    name: str
    """The name of the entry point."""
    options: dict[str, Any] = {}
    """Keywords of the function that builds it."""
    reduction: Reduction = 1
    """As of D3Net."""
    dropout: Fraction = 0.0
    """Rate of its dropout, which it is given; 0 for none."""
    pretrained: Start = NO_WEIGHTS
    """As of D3Net."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return require_registered(NETWORKS, name)


def _kind(value: Any) -> str:
    """Return the kind of a network, as read from YAML or as a section."""
    if isinstance(value, NetworkSpec):
        return tagged(value.KIND)
    entries = value if isinstance(value, Mapping) else {}
    name = entries.get("name", EncoderDecoderSpec.KIND if "encoder" in entries else D3NetSpec.KIND)
    builtin = name in (D3NetSpec.KIND, EncoderDecoderSpec.KIND)
    return tagged(name if builtin else PackagedSpec.KIND)


ModelSpec = Annotated[
    Annotated[D3NetSpec, Tag(tagged(D3NetSpec.KIND))]
    | Annotated[EncoderDecoderSpec, Tag(tagged(EncoderDecoderSpec.KIND))]
    | Annotated[PackagedSpec, Tag(tagged(PackagedSpec.KIND))],
    Discriminator(_kind),
]
"""A network, by the key ``name`` or, without it, by whether there is an ``encoder``."""
