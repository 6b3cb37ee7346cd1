"""The registries of encoders and of whole networks, and the sections that name one."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Channels
from mtlaerial.config.registry import Registry
from mtlaerial.errors import ConfigError

_HERE = "mtlaerial.models.encoders"
ENCODERS = Registry(
    "encoder",
    "mtlaerial.encoders",
    {
        "densenet121": f"{_HERE}.densenet:densenet121",
        "efficientnet_lite0": f"{_HERE}.efficientnet_lite:efficientnet_lite0",
        "efficientnet_lite1": f"{_HERE}.efficientnet_lite:efficientnet_lite1",
        "efficientnet_lite2": f"{_HERE}.efficientnet_lite:efficientnet_lite2",
        "convnext_tiny": f"{_HERE}.convnext:convnext_tiny",
        "convnext_small": f"{_HERE}.convnext:convnext_small",
        "convnext_base": f"{_HERE}.convnext:convnext_base",
        "swin_v2_t": f"{_HERE}.swin_v2:swin_v2_t",
        "swin_v2_s": f"{_HERE}.swin_v2:swin_v2_s",
        "swin_v2_b": f"{_HERE}.swin_v2:swin_v2_b",
        "timm": f"{_HERE}.timm_encoder:timm_encoder",
        "torchvision": f"{_HERE}.torchvision_encoder:torchvision_encoder",
    },
    "List them with: mtlaerial networks",
)
"""Functions that build an encoder: they take the number of bands, and the options of the section as keywords."""
LIBRARIES = ("timm", "torchvision")
"""Encoders that are a library of models, which their option ``model`` names."""
NETWORKS = Registry(
    "model",
    "mtlaerial.networks",
    {
        "d3net": "mtlaerial.models.d3net:D3Net",
        "encoder_decoder": "mtlaerial.models.encoder_decoder:EncoderDecoder",
    },
    "Install the package that has it.",
)
"""Functions that build a whole network. Those of other packages take the keywords ``bands``, ``outputs``, ``reduction``
and ``dropout``, and the options of the section."""


def require_registered(registry: Registry, name: str) -> str:
    """Return a name of a registry.

    Raises
    ------
    Unfit
        When nothing has that name.
    """
    try:
        registry.target(name)
    except ConfigError as error:
        raise Unfit("", error.found, error.expected, error.remedy) from None
    return name


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class EncoderSpec(Section):
    """An encoder by name. All other keys are options, as keywords of the function that builds it."""

    model_config = ConfigDict(extra="allow")

    name: str
    """A name of ``mtlaerial networks``, or one that another package registers."""

    @property
    def options(self) -> dict[str, Any]:
        """The options, as given."""
        return dict(self.model_extra or {})

    @property
    def identity(self) -> str:
        """The name by which weights say what they are of: with the model where it is one of another library.

        Examples
        --------
        >>> EncoderSpec(name="timm", model="convnext_nano", drop_path_rate=0.1).identity
        'timm/convnext_nano'
        """
        return f"{self.name}/{self.options.get('model', '')}".rstrip("/") if self.name in LIBRARIES else self.name

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return require_registered(ENCODERS, name)


def _is_half(stride: int) -> bool:
    """Tell whether plain data leave out the stride: files and fingerprints are then those of versions without it."""
    return stride == 2


DecoderName = Literal["fusion", "resize"]


class DecoderSpec(Section):
    """A decoder, from an encoder's features to the tasks' outputs."""

    name: DecoderName = "fusion"
    """fusion: features of all scales are brought to the finest one and joined there. resize: from coarse to fine,
    enlarged by interpolation before each convolution. Neither has transposed convolutions, which leave a grid."""
    channels: Channels = 64
    """Channels of the shared features."""
    head: Channels = 32
    """Channels of each task's own layers."""
    exchange: Literal["none", "gated", "attention"] = "none"
    """Features that the heads of the tasks take from each other. They are detached: a task's loss trains the trunk and
    its own head."""
    finest: Literal[1, 2] = Field(default=2, exclude_if=_is_half)
    """Stride of the heads' last layers, in pixels of the reduced image. 1: each head has one more, of half of its
    channels, which sees the image's own pixels, for sharp borders. 2: outputs are doubled."""


def same_encoder(identity: str, another: str) -> bool:
    """Tell whether two identities are of the same encoder; tags of weights after a dot do not count.

    Examples
    --------
    >>> same_encoder("timm/convnext_nano", "timm/convnext_nano.in12k")
    True
    """
    return identity.partition(".")[0] == another.partition(".")[0]


Encoder = Annotated[EncoderSpec, BeforeValidator(_named, json_schema_input_type=str | EncoderSpec)]
"""An encoder, or its name alone."""
Decoder = Annotated[DecoderSpec, BeforeValidator(_named, json_schema_input_type=DecoderName | DecoderSpec)]
"""A decoder, or its name alone."""
