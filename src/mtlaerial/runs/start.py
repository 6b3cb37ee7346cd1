"""Record of the weights that a training began with."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from mtlaerial.config import Section
from mtlaerial.config.base import is_none
from mtlaerial.config.sources import PretrainedSpec
from mtlaerial.config.start import WEIGHT_FILES
from mtlaerial.runs.ground import Ground

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
    trained_on: str | None = None
    """Title of the data set that a run was trained on; None of other weights."""
    ground: Ground | None = Field(default=None, exclude_if=is_none)
    """The ground that a run was trained on; None of one by an earlier version, and of other weights: not known."""
    start: Self | None = None
    """Origin of the weights that a run began with itself; None for random ones, and of other weights."""

    @property
    def text(self) -> str:
        """The record in one line, for people."""
        origin = self.source if self.source != NOT_STATED else self.location
        training = f"trained on {self.trained_on}" if self.trained_on else None
        sha256 = f"SHA-256 {self.sha256[:12]}…"
        described = [f"{self.name} ({self.parts})", training, f"licence {self.licence}", origin, sha256]
        text = ", ".join(filter(None, described))
        return f"{text}; that run began with {self.start.text}" if self.start else text


def is_run(path: Path) -> bool:
    """Tell whether a path is that of a run's folder, by its name; else it is that of a file of weights."""
    return path.suffix not in WEIGHT_FILES


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
