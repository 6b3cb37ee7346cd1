"""GPUs of one machine that several jobs share: a job takes its own, and the others are hidden from it.

A GPU is taken by locking a file of its name. The locks are POSIX record locks, since those belong to one process alone:
the operating system frees them when it ends, killed or not, and no child of it inherits them, forked or started.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mtlaerial.errors import DeviceError
from mtlaerial.system.nvidia_smi import VISIBLE, visible_gpus

PAUSE = 0.5
"""Seconds between looks at all GPUs, where a job waits for one."""
log = logging.getLogger(__name__)


@contextmanager
def taken(number: int) -> Iterator[tuple[str, ...]]:
    """Take so many GPUs for this process, wait until they are free, and hide all others from it.

    To be entered before CUDA is initialised. On a machine without GPUs nothing is taken, and nothing is waited for.

    Parameters
    ----------
    number : int
        With 0, all GPUs are hidden: what works on the CPU holds none.

    Yields
    ------
    tuple of str
        Their UUIDs.

    Raises
    ------
    DeviceError
        When there are GPUs, but not so many, or when ``nvidia-smi`` does not say which.
    """
    there = visible_gpus() if number else ()
    if 0 < len(there) < number:
        found, remedy = f"{number} GPUs wanted", f"Ask for fewer; {VISIBLE}, where it is set, says which may be used."
        raise DeviceError("resources.gpu", found, f"at most {len(there)}, as this machine has", remedy)
    locks = _wait_for(there, number) if there else {}
    before = os.environ.get(VISIBLE)
    if locks or not number:
        os.environ[VISIBLE] = ",".join(locks)
    try:
        yield tuple(locks)
    finally:
        os.environ.pop(VISIBLE, None)
        os.environ.update({} if before is None else {VISIBLE: before})
        _free(locks.values())


def _wait_for(there: Sequence[str], number: int) -> dict[str, int]:
    """Return the files that lock so many GPUs, by their UUIDs."""
    waiting = False
    while not (locks := _take(there, number)):
        if not waiting:
            log.info("waiting for %d of %d GPUs to be free", number, len(there))
            waiting = True
        time.sleep(PAUSE)
    log.info("took %s", ", ".join(locks))
    return locks


def _take(there: Sequence[str], number: int) -> dict[str, int]:
    """Take the first that are free, so many or none."""
    locks: dict[str, int] = {}
    folder = _folder()
    choosing = _open(folder / "choosing.lock")
    try:
        fcntl.lockf(choosing, fcntl.LOCK_EX)  # one at a time, so that no two hold a part of what both want
        for uuid in there:
            file = _open(folder / f"{uuid.replace('/', '_')}.lock")
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # either, as systems like
                os.close(file)
                continue
            locks[uuid] = file
            if len(locks) == number:
                return locks
        _free(locks.values())
        return {}
    finally:
        os.close(choosing)


def _free(files: Iterable[int]) -> None:
    for file in files:
        os.close(file)


def _folder() -> Path:
    """Return the folder of the locks, which all users of the machine may add to."""
    folder = Path(tempfile.gettempdir()) / "mtlaerial-gpus"
    with suppress(FileExistsError), _open_to_all():
        folder.mkdir(mode=0o1777)
    return folder


def _open(path: Path) -> int:
    """Open a lock's file, which may be another user's: Linux refuses to create what is there in such a folder."""
    try:
        with suppress(FileExistsError), _open_to_all():
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DeviceError(path, reason, "a file to lock", "Let all users write there, or set TMPDIR.") from None


@contextmanager
def _open_to_all() -> Iterator[None]:
    mask = os.umask(0)
    try:
        yield
    finally:
        os.umask(mask)
