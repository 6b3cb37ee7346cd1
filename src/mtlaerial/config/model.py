"""A network of the section ``models``."""

from typing import Literal, Self

from pydantic import model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Channels, Fraction, Layers


class ModelSpec(Section):
    """A network: D3Net, at the original's size or smaller."""

    name: Literal["d3net"] = "d3net"
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
    reduction: Literal[1, 2, 4] = 1
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
    pretrained: str = "none"
    """Initial weights of the encoder: a name from ``pretrained`` of the configuration, or none."""

    @model_validator(mode="after")
    def _as_published(self) -> Self:
        sizes = {name: type(self).model_fields[name].default for name in ("stem", "growth", "blocks", "bottleneck")}
        if self.pretrained != "none" and any(getattr(self, name) != size for name, size in sizes.items()):
            listed = ", ".join(f"{name} {size}" for name, size in sizes.items())
            expected = f"none, or an encoder of the published sizes ({listed})"
            raise Unfit("pretrained", f"{self.pretrained} with other sizes", expected)
        return self

    @property
    def multiple(self) -> int:
        """Divisor of rows and columns of an image: it is reduced, then halved five times."""
        return 32 * self.reduction
