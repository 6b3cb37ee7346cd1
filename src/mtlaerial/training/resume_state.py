"""Saved state of an unfinished training, from which a killed one resumes to the same weights."""

import errno
import logging
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from mtlaerial.runs.code_hash import code_hash
from mtlaerial.system.files import writing

FORMAT = 7
UNREADABLE = (pickle.UnpicklingError, zipfile.BadZipFile)
log = logging.getLogger(__name__)


class ResumeFile:
    """File of the state of a training, beside the run, and a second file of the state before.

    Parameters
    ----------
    path : Path
        The file; the state before is beside it (``model.previous.resume.pt`` beside ``model.resume.pt``).
    identity : str
        Fingerprint of the plan and the inputs: only a state with the same one is used.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.previous = path.with_name(path.name.replace(".resume.pt", ".previous.resume.pt"))
        self.identity = identity
        self._code = code_hash("training")

    def save(self, state: dict[str, Any]) -> None:
        """Save a state by an atomic write; the last saved one becomes the previous one."""
        header = {"format": FORMAT, "identity": self.identity, "code": self._code}
        with writing(self.path) as partial:
            try:
                torch.save({**header, "state": state}, partial)
            except RuntimeError as error:  # torch raises it on a full disk
                raise OSError(errno.EIO, f"an incomplete file, as on a full disk ({_first_line(error)})") from None
            if self.path.exists():
                os.replace(self.path, self.previous)

    def load(self) -> dict[str, Any] | None:
        """Return the last saved state that is intact and matches, or None; log why others are left aside."""
        states = (self._read(path) for path in (self.path, self.previous) if path.exists())
        newest = next((state for state in states if state is not None), None)
        if newest is None and (self.path.exists() or self.previous.exists()):
            log.warning("Starting from the first epoch")
        return newest

    def remove(self) -> None:
        """Remove the states, after the training has ended."""
        for path in (self.path, self.previous):
            path.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            _require_whole(path)
            stored = torch.load(path, map_location="cpu", weights_only=True)
            header, code, state = (stored["format"], stored["identity"]), stored["code"], dict(stored["state"])
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, *UNREADABLE) as error:
            log.warning("%s is damaged (%s) and left aside", path, _first_line(error))
            return None
        if header != (FORMAT, self.identity):
            log.warning("%s belongs to another plan or other data, and is left aside", path)
            return None
        if code != self._code:
            log.warning("%s was written by other code: going on from it all the same", path)
        return state


def _require_whole(path: Path) -> None:
    """Verify the checksums of the zip file, which torch writes but does not verify when it reads."""
    with zipfile.ZipFile(path) as archive:
        if wrong := archive.testzip():
            raise ValueError(f"wrong checksum of {wrong}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
