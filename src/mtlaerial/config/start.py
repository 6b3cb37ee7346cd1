"""Initial weights of a network, and how they are fine-tuned."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Count

Part = Literal["encoder", "decoder", "heads"]
"""Parts of a network: encoder and decoder are the trunk, which all tasks share."""
PARTS: tuple[Part, ...] = get_args(Part)
_TAKING: dict[str, tuple[Part, ...]] = {"encoder": PARTS[:1], "trunk": PARTS[:2], "all": PARTS}
"""Parts of a network that take weights, by the key ``parts``."""
SHIPPED: dict[str, str] = {"town": "a town of the US west coast from 0.3 m imagery, in 5 classes"}
"""Trained runs that come with the package, by name."""
NO_WEIGHTS = "none"
"""Source of random weights, in place of a section."""
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
    """Epochs at the beginning during which a part is not trained: its weights and running statistics stay."""
    rates: dict[Part, Annotated[float, Field(gt=0, le=100)]] = {}
    """Factors of the learning rate by part."""
    stage_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Factor of the learning rate from each stage of the encoder to the stage before it, so that the first layers
    change least."""

    @property
    def is_file(self) -> bool:
        """Whether the source is a file of weights."""
        return self.source.endswith(WEIGHT_FILES)

    @property
    def is_path(self) -> bool:
        """Whether the source is a file or a folder, not a name."""
        return "/" in self.source or self.is_file

    @property
    def tuned(self) -> bool:
        """Whether a part learns at another rate than the rest."""
        return bool(self.rates) or self.stage_decay != 1

    @model_validator(mode="after")
    def _some_weights(self) -> Self:
        if self.source == NO_WEIGHTS:
            remedy = f"Write pretrained: {NO_WEIGHTS} in place of the section."
            raise Unfit("source", NO_WEIGHTS, "weights that are fine-tuned", remedy)
        if self.is_file and self.parts != "encoder":
            expected = "encoder, as a file of weights has those of an encoder"
            raise Unfit("parts", self.parts, expected, "Correct it, or write the folder of a run.")
        return self

    @model_validator(mode="after")
    def _something_to_train(self) -> Self:
        taking = _TAKING[self.parts]
        random = [part for part in self.freeze if part not in taking]
        if random:
            remedy = f"Take {random[0]} out of freeze, or take weights for it: parts: {_needed(random[0])}."
            expected = f"parts that take weights ({', '.join(taking)})"
            raise Unfit("freeze", f"{random[0]}, which begins with random weights", expected, remedy)
        if len(self.freeze) == len(PARTS):
            raise Unfit("freeze", "all parts of the network", "one that is trained", "Take heads out of it.")
        return self


def _needed(part: Part) -> str:
    """Return the first value of ``parts`` with which a part takes weights."""
    return next(name for name, taking in _TAKING.items() if part in taking)
