"""Weights of a run: written beside no other run's description, and told apart by their hash."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field
from safetensors import SafetensorError, safe_open

from mtlaerial.config import Section
from mtlaerial.config.base import is_empty, is_none
from mtlaerial.errors import DataError, system_reason
from mtlaerial.runs.budget import Budget
from mtlaerial.runs.ground import Ground
from mtlaerial.runs.imported import Original
from mtlaerial.runs.start import StartRecord
from mtlaerial.system.safetensors_header import require_header
from mtlaerial.tiles.labelled_area import LabelledArea
from mtlaerial.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

DESCRIPTION = "run.yaml"
WEIGHTS = "model.safetensors"
_PROVENANCE = "made"
"""Key of the weights' metadata."""


class Provenance(Section):
    """Origin of a run's weights, which their file carries as metadata."""

    mtlaerial: str = __version__
    """Version of the package that wrote them."""
    code: str
    """Hash of the modules that wrote them."""
    epoch: int
    """The epoch that they are from, counted from 1; 0 for imported ones."""
    imported: str | None = None
    """The file that they were imported from."""
    original: Original | None = None
    """Facts about the file that they were imported from; None in files of earlier versions."""
    identity: str | None = None
    """Fingerprint of the plan and the data of their training; None for imported ones."""
    validation: dict[str, str] | None = None
    """Hash of the image of each validation tile; None for imported ones, and in files of earlier versions."""
    start: StartRecord | None = None
    """Origin of the weights that the training began with; None for random ones, and in files of earlier versions."""
    budget: Budget | None = Field(default=None, exclude_if=is_none)
    """Budget of the training; None where the number of updates was given."""
    labelled: LabelledArea | None = Field(default=None, exclude_if=is_none)
    """The part of the truth that the training used; None for all of it, and for imported ones."""
    ground: Ground | None = Field(default=None, exclude_if=is_none)
    """The ground of the training tiles; None for imported weights, and in files of earlier versions."""
    ground_notes: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """Sentences on validation tiles that lie on ground of runs that the training began with, or may."""
    ended_early: int | None = None
    """The epoch after which ``training.patience`` ended the training; None where it had all its epochs."""


def save_run_weights(
    folder: Path,
    provenance: Provenance,
    weights: "Mapping[str, Tensor]",
    others: "Mapping[str, Mapping[str, Tensor]]",
) -> None:
    """Write ``model.safetensors`` with its provenance, and other weights by name; each write is atomic.

    The description of an earlier run in the folder is removed first. A process that is killed meanwhile leaves a folder
    without a description, or with all of the earlier run: never weights beside the description of others.

    Raises
    ------
    DataError
        When a weight is not finite, the folder cannot be written, or the disk is full.
    """
    from mtlaerial.models.safetensors_io import require_finite_weights, save_weights

    for name, tensors in {**others, "model": weights}.items():
        require_finite_weights(folder / f"{name}.safetensors", tensors)
    remove_description(folder)
    for name, tensors in others.items():
        save_weights(folder / f"{name}.safetensors", tensors)
    # One entry, since safetensors writes several in no fixed order.
    excluded = {name for name in ("original", "start", "ended_early") if getattr(provenance, name) is None}
    save_weights(folder / WEIGHTS, weights, {_PROVENANCE: provenance.model_dump_json(exclude=excluded)})


def remove_description(folder: Path) -> None:
    """Remove ``run.yaml``, so that a folder whose files are being replaced is no run meanwhile."""
    (folder / DESCRIPTION).unlink(missing_ok=True)


def load_provenance(folder: Path) -> Provenance:
    """Read the provenance that ``model.safetensors`` carries.

    Raises
    ------
    DataError
        When the file is missing or damaged, or carries none.
    """
    path = folder / WEIGHTS
    try:
        require_header(path)
        with safe_open(path, framework="np") as file:
            entries: dict[str, Any] = dict(json.loads(file.metadata()[_PROVENANCE]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(path, str(error), "a trained run's weights", "Train the run again.") from None
    return Provenance.parse(entries, str(path))


def weights_hash(folder: Path) -> str:
    """Return the SHA-256 of ``model.safetensors``.

    Raises
    ------
    DataError
        When the file is missing or unreadable.
    """
    path = folder / WEIGHTS
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = "no file" if isinstance(error, FileNotFoundError) else system_reason(error)
        raise DataError(path, reason, "the run's weights", "Train the run first, or copy its whole folder.") from None
