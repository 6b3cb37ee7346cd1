"""External files: archives of data sets, and published weights."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from mtlaerial.config.annotations import SHA256
from mtlaerial.config.base import Section
from mtlaerial.config.encoder import LIBRARIES, EncoderSpec, require_registered
from mtlaerial.config.faults import Unfit
from mtlaerial.config.names import Sentence, require_once
from mtlaerial.config.registry import Registry

_LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$"), _LOWER]
Sha256 = Annotated[str, Field(pattern=SHA256), _LOWER]
_HERE = "mtlaerial.models.published"
PUBLISHED = Registry(
    "encoder of published weights",
    "mtlaerial.published",
    {
        "densenet121": f"{_HERE}.densenet:DENSENET121",
        "efficientnet_lite0": f"{_HERE}.efficientnet_lite:LITE0",
        "efficientnet_lite1": f"{_HERE}.efficientnet_lite:LITE1",
        "efficientnet_lite2": f"{_HERE}.efficientnet_lite:LITE2",
        "convnext_tiny": f"{_HERE}.convnext:TINY",
        "convnext_small": f"{_HERE}.convnext:SMALL",
        "convnext_base": f"{_HERE}.convnext:BASE",
        "swin_v2_t": f"{_HERE}.swin_v2:TINY",
        "swin_v2_s": f"{_HERE}.swin_v2:SMALL",
        "swin_v2_b": f"{_HERE}.swin_v2:BASE",
        "timm": f"{_HERE}.foreign:timm_form",
        "torchvision": f"{_HERE}.foreign:torchvision_form",
    },
    "docs/pretrained.md says how the weights of another encoder are registered.",
)
"""Forms of published weights by encoder: :class:`mtlaerial.models.published.form.PublishedForm`, or for a library of
models the function that returns the form of one of them."""


class ArchiveSpec(Section):
    """A zip archive as published; the user downloads it, the workflow verifies and unpacks it."""

    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]
    """File name, in the data root or in ``archives`` below it."""
    page: str
    """Address of its download page."""
    holds: str
    """Description of its content, as a phrase."""
    into: Annotated[str, Field(pattern=r"^[^/\\][^\\]*$")] = "."
    """Folder below the data root that it is unpacked to."""
    md5: Md5 | None = None
    """As published."""
    sha256: Sha256 | None = None
    """As published."""
    optional: bool = False
    """True if the data set is complete without it."""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if ".." in self.into.split("/"):
            raise Unfit("into", repr(self.into), "a folder below the data root", "Leave out the dots.")
        return self

    @property
    def published(self) -> dict[str, str]:
        """The published hashes by their algorithms."""
        hashes: dict[Literal["md5", "sha256"], str | None] = {"md5": self.md5, "sha256": self.sha256}
        return {algorithm: value for algorithm, value in hashes.items() if value}


class WeightsInput(Section):
    """Image that weights of an encoder expect: of each band (v - mean) / deviation, for values v of 0 to 255.

    Images of another data type are meant alike: 0 is the lowest and 255 the highest value of ``image.range``.
    """

    bands: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of the bands, in their order."""
    mean: tuple[float, ...]
    """Value of each band that is brought to 0."""
    deviation: tuple[Annotated[float, Field(gt=0)], ...]
    """Difference of values of each band that is brought to 1."""

    @model_validator(mode="after")
    def _per_band(self) -> Self:
        for key in ("mean", "deviation"):
            values = getattr(self, key)
            if len(values) != len(self.bands):
                raise Unfit(key, f"{len(values)} values", f"one for each of the bands ({', '.join(self.bands)})")
        require_once("bands", self.bands)
        return self


class PackageFileSpec(Section):
    """A file of an installed Python package. The package is not imported."""

    name: str
    """The name by which pip installs it."""
    path: Annotated[str, Field(pattern=r"^[^/\\][^\\]*$")]
    """The file's path, as the package lists it: from the folder that holds the package's own."""


def _identity(value: Any) -> Any:
    return EncoderSpec.model_validate(value).identity if isinstance(value, Mapping) else value


class PretrainedSpec(Section):
    """Published weights of an encoder."""

    encoder: Annotated[str, BeforeValidator(_identity, json_schema_input_type=str | EncoderSpec)] = "densenet121"
    """The encoder that they belong to; of timm and torchvision as in a model, ``{name: timm, model: MODEL}``."""
    url: str | None = None
    """Address of the published file."""
    package: PackageFileSpec | None = None
    """An installed package that holds the file; taken instead of ``url`` where it is installed."""
    sha256: Sha256
    """The SHA-256 of the published file."""
    file: str | None = None
    """A copy of the published file, or the URL of a mirror; taken instead of all others."""
    input: WeightsInput | None = None
    """The image that they expect; by default that of the weights that the encoder's authors published."""
    licence: Sentence = "not stated"
    """Of the weights."""
    source: Sentence = "not stated"
    """Their publisher's page, or the publication."""

    @field_validator("encoder")
    @classmethod
    def _convertible(cls, identity: str) -> str:
        name, _, model = identity.partition("/")
        require_registered(PUBLISHED, name)
        if name in LIBRARIES and not model:
            raise Unfit("", name, "its model too", f"Write {{name: {name}, model: MODEL}}.")
        return identity

    @model_validator(mode="after")
    def _some_place(self) -> Self:
        if not (self.url or self.package or self.file):
            raise Unfit("url", "nothing", "an address of the file", "State url, package or file.")
        return self

    @property
    def location(self) -> str:
        """Where it is published; a copy by its name, without folders of this machine."""
        if self.url:
            return self.url
        if self.package:
            return f"package {self.package.name}"
        assert self.file is not None
        return self.file if "://" in self.file else PurePath(self.file).name
