"""External files: archives of data sets, and published weights."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from mtlaerial.config.annotations import SHA256
from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit

_LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$"), _LOWER]
Sha256 = Annotated[str, Field(pattern=SHA256), _LOWER]


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


class PretrainedSpec(Section):
    """Published weights of an encoder."""

    url: str
    sha256: Sha256
    """The SHA-256 of the published file."""
    file: str | None = None
    """A copy of the published file, or the URL of a mirror; taken instead of ``url``."""
