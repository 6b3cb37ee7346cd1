"""Record of the weights that a training began with."""

from typing import Literal

from mtlaerial.config import Section
from mtlaerial.config.sources import PretrainedSpec

NOT_STATED = "not stated"


class StartRecord(Section):
    """Origin of the weights that a training began with, as it was stated then."""

    kind: Literal["published", "file", "run"]
    """Published weights by their name in the configuration, a file of weights, or another run."""
    name: str
    """That name, or the file's without folders."""
    parts: str = "encoder"
    """Parts of the network that took the weights."""
    encoder: str | None = None
    """The encoder that published weights are of."""
    location: str | None = None
    """Address or package that they were published in; None of a file, of which that is not known."""
    sha256: str
    """SHA-256 of the published file, or of the file of weights."""
    licence: str = NOT_STATED
    source: str = NOT_STATED
    """Page or publication of the weights."""

    @property
    def text(self) -> str:
        """The record in one line, for people."""
        origin = self.source if self.source != NOT_STATED else self.location
        described = [f"{self.name} ({self.parts})", f"licence {self.licence}", origin, f"SHA-256 {self.sha256[:12]}…"]
        return ", ".join(filter(None, described))


def published_start(name: str, spec: PretrainedSpec, parts: str) -> StartRecord:
    """Return the record of published weights that the configuration describes."""
    return StartRecord(
        kind="published",
        name=name,
        parts=parts,
        encoder=spec.encoder,
        location=spec.location,
        sha256=spec.sha256,
        licence=spec.licence,
        source=spec.source,
    )
