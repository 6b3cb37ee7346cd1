"""Initial weights of a network, and how they are fine-tuned."""

from typing import Annotated, Literal

from pydantic import Field

from mtlaerial.config.base import Section
from mtlaerial.config.numbers import Count

Part = Literal["encoder", "decoder", "heads"]
"""Parts of a network: encoder and decoder are the trunk, which all tasks share."""
WEIGHT_FILES = (".safetensors", ".pth", ".pt")
"""Suffixes of files of weights."""


class StartSpec(Section):
    """Initial weights of a network, and how they are fine-tuned."""

    source: str
    """A name from ``pretrained`` of the configuration, a shipped run, a file of weights, or the folder of a run."""
    parts: Literal["encoder", "trunk", "all"] = "encoder"
    """Parts that take the weights; trunk: encoder and shared decoder. Others begin with random weights."""
    new_bands: dict[str, str] = {}
    """Bands of the image that the weights do not know, each with what its first weights are: ``mean`` of those of the
    known bands, ``zero``, or those of a band that the weights know, by name."""
    freeze: dict[Part, Count] = {}
    """Epochs at the beginning during which a part is not trained."""
    rates: dict[Part, Annotated[float, Field(gt=0, le=100)]] = {}
    """Factors of the learning rate by part."""
    stage_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the learning rate from each stage of the encoder to the stage before it, so that the first layers
    change least."""

    @property
    def is_path(self) -> bool:
        """Whether the source is a file or a folder, not a name."""
        return "/" in self.source or self.source.endswith(WEIGHT_FILES)
