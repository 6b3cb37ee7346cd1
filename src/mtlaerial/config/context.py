"""The surroundings that a network sees around its patches and windows."""

from typing import Literal

from mtlaerial.config.base import Section
from mtlaerial.config.numbers import Channels


class ContextSpec(Section):
    """A second image for the encoder: a wider area around a patch or window, at a fraction of the resolution."""

    scale: Literal[2, 4, 8] = 4
    """How many times as wide as the patch or window the area is; its pixels are as many times as large, so that it has
    as many of them."""
    channels: Channels = 64
    """Channels in which the features of its scales are joined."""
