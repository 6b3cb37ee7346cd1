"""One training of a run at a time."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mtlaerial.errors import DataError

log = logging.getLogger(__name__)


def lock_file(folder: Path) -> Path:
    """Return the file that is locked while a run is trained."""
    return folder.with_name(f".{folder.name}.lock")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time train a run; any other waits here, and says so once.

    The lock is a file beside the run's folder (``.seed0.lock`` beside ``seed0``), where nothing that clears the folder
    touches it. The operating system releases it when its holder ends, killed or not.
    """
    with _acquired(folder.absolute()):
        yield


def _acquired(folder: Path) -> AbstractContextManager[Any]:
    lock = FileLock(lock_file(folder))
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
