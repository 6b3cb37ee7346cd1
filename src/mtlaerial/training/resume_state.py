"""The state of an unfinished training, from which a killed one goes on as if nothing had happened."""

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

FORMAT = 4
UNREADABLE = (pickle.UnpicklingError, zipfile.BadZipFile)
log = logging.getLogger(__name__)


class ResumeFile:
    """A file beside the run that holds the state of its training, and another with the state before.

    Parameters
    ----------
    path : Path
        Where it is; the one before is beside it (``model.previous.resume.pt`` beside ``model.resume.pt``).
    identity : str
        Fingerprint of the plan and the inputs: a state is used only where it matches.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.previous = path.with_name(path.name.replace(".resume.pt", ".previous.resume.pt"))
        self.identity = identity
        self._code = code_hash("training")

    def save(self, state: dict[str, Any]) -> None:
        """Store a state, whole or not at all; the one stored before becomes the previous one."""
        header = {"format": FORMAT, "identity": self.identity, "code": self._code}
        with writing(self.path) as partial:
            try:
                torch.save({**header, "state": state}, partial)
            except RuntimeError as error:  # what torch makes of a full disk
                raise OSError(errno.EIO, f"an incomplete file, as on a full disk ({_first_line(error)})") from None
            if self.path.exists():
                os.replace(self.path, self.previous)

    def load(self) -> dict[str, Any] | None:
        """Return the last stored state that is whole and fits, or None where there is none; says why in the log."""
        states = (self._read(path) for path in (self.path, self.previous) if path.exists())
        found = next((state for state in states if state is not None), None)
        if found is None and (self.path.exists() or self.previous.exists()):
            log.warning("Starting from the first epoch")
        return found

    def remove(self) -> None:
        """Remove the states of a training that is done."""
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
    """Compare the checksums that torch writes, as a zip file has them, but does not look at when it reads."""
    with zipfile.ZipFile(path) as archive:
        if wrong := archive.testzip():
            raise ValueError(f"wrong checksum of {wrong}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
