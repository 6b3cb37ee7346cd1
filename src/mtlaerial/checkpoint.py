"""The state of an unfinished training, from which a killed one goes on as if nothing had happened."""

import errno
import logging
import pickle
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from mtlaerial.errors import DataError
from mtlaerial.raster import writing
from mtlaerial.runs import code_hash

FORMAT = 3
log = logging.getLogger(__name__)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time train a run; any other waits here, and says so once.

    The lock is a file beside the run's folder (``.seed0.lock`` beside ``seed0``), where nothing that clears the folder
    touches it. The operating system releases it when its holder ends, killed or not.
    """
    with _acquired(folder.absolute()):
        yield


def _acquired(folder: Path) -> AbstractContextManager[Any]:
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return lock.acquire(blocking=False)
        except Timeout:
            log.warning("%s is being trained by another process: waiting until that ends", folder)
            return lock.acquire()
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(folder, reason, "a folder to write the run to", "Choose another folder.") from None


class ResumeFile:
    """A file beside the run that holds the last complete epoch's state.

    Parameters
    ----------
    path : Path
        Where it is.
    identity : str
        Fingerprint of the plan and the inputs: a state is used only where it matches.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity

    def save(self, state: dict[str, Any]) -> None:
        """Replace the stored state, whole or not at all."""
        header = {"format": FORMAT, "identity": self.identity, "code": code_hash()}
        with writing(self.path) as partial:
            try:
                torch.save({**header, "state": state}, partial)
            except RuntimeError as error:  # what torch makes of a full disk
                raise OSError(errno.EIO, f"an incomplete file, as on a full disk ({_first_line(error)})") from None

    def load(self) -> dict[str, Any] | None:
        """Return the stored state, or None where there is none that fits; says why in the log."""
        if not self.path.exists():
            return None
        try:
            stored = torch.load(self.path, map_location="cpu", weights_only=True)
            header = stored["format"], stored["identity"]
        except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
            log.warning("%s is damaged (%s): starting from the first epoch", self.path, _first_line(error))
            return None
        if header != (FORMAT, self.identity):
            log.warning("%s belongs to another plan or other data: starting from the first epoch", self.path)
            return None
        if stored["code"] != code_hash():
            log.warning("%s was written by other code: going on from it all the same", self.path)
        return dict(stored["state"])

    def remove(self) -> None:
        """Remove the state of a training that is done."""
        self.path.unlink(missing_ok=True)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
