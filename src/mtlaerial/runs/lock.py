"""Lock of a run, held while the run is trained."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mtlaerial.errors import DataError, system_reason

log = logging.getLogger(__name__)


def lock_file(folder: Path) -> Path:
    """Return the file that is locked while a run is trained."""
    return folder.with_name(f".{folder.name}.lock")


def is_locked(folder: Path) -> bool:
    """Tell whether a process trains a run, and change nothing in its files.

    ``filelock`` would create the file, and would need the right to write it, which other users' results do not give.
    """
    try:
        file = os.open(lock_file(folder), os.O_RDONLY)
    except OSError:
        return False
    try:
        # A shared lock cannot be had beside the exclusive one; closing the file gives it up.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # the file system has no such locks
        return False
    finally:
        os.close(file)
    return False


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of a run; while another process holds it, wait, and log that once.

    The lock is a file beside the run's folder (``.seed0.lock`` beside ``seed0``), so that it survives when the folder
    is cleared. The operating system releases it when its holder ends, killed or not.
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
        reason = system_reason(error)
        raise DataError(folder, reason, "a folder to write the run to", "Choose another folder.") from None
