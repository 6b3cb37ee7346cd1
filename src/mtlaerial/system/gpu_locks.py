"""Exclusive allocation of a machine's GPUs to jobs, by file locks.

A job locks one file per GPU and sees only the GPUs it holds. The locks are POSIX record locks because these belong to a
single process: the operating system releases them when it ends, even by a kill, and child processes do not inherit
them.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from mtlaerial.errors import DeviceError, system_reason
from mtlaerial.system.nvidia_smi import VISIBLE, visible_gpus

POLL_INTERVAL = 0.5
"""Seconds between attempts to lock GPUs while a job waits."""
log = logging.getLogger(__name__)


@contextmanager
def reserved_gpus(number: int) -> Iterator[tuple[str, ...]]:
    """Reserve a number of GPUs for this process, waiting until they are free, and hide all others from it.

    Enter it before CUDA is initialised. On a machine without GPUs it reserves nothing and does not wait.

    Parameters
    ----------
    number : int
        GPUs to reserve. With 0, all GPUs are hidden, so that a job on the CPU occupies none.

    Yields
    ------
    tuple of str
        Their UUIDs.

    Raises
    ------
    DeviceError
        When the machine has GPUs, but too few, or when ``nvidia-smi`` fails.
    """
    gpus = visible_gpus() if number else ()
    if 0 < len(gpus) < number:
        remedy = f"Ask for fewer; {VISIBLE}, where it is set, says which may be used."
        raise DeviceError("resources.gpu", f"{number} GPUs wanted", f"at most {len(gpus)}, as this machine has", remedy)
    locks = _wait_for(gpus, number) if gpus else {}
    previous = os.environ.get(VISIBLE)
    if locks or not number:
        os.environ[VISIBLE] = ",".join(locks)
    try:
        yield tuple(locks)
    finally:
        os.environ.pop(VISIBLE, None)
        os.environ.update({} if previous is None else {VISIBLE: previous})
        _free(locks.values())


def _wait_for(gpus: Sequence[str], number: int) -> dict[str, int]:
    """Lock a number of GPUs, waiting as long as needed; return the descriptors of their lock files by UUID."""
    waiting = False
    while not (locks := _try_to_lock(gpus, number)):
        if not waiting:
            log.info("waiting for %d of %d GPUs to be free", number, len(gpus))
            waiting = True
        time.sleep(POLL_INTERVAL)
    log.info("took %s", ", ".join(locks))
    return locks


def _try_to_lock(gpus: Sequence[str], number: int) -> dict[str, int]:
    """Lock the first free GPUs: the full number or none."""
    locks: dict[str, int] = {}
    folder = _folder()
    choosing = _open(folder / "choosing.lock")
    try:
        fcntl.lockf(choosing, fcntl.LOCK_EX)  # one job at a time: else two could each lock a part and both fail
        for uuid in gpus:
            file = _open(folder / f"{uuid.replace('/', '_')}.lock")
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES for a lock that is held
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
        os.close(file)  # which releases the lock


def _folder() -> Path:
    """Return the folder of the locks, created writable for all users of the machine."""
    folder = Path(tempfile.gettempdir()) / "mtlaerial-gpus"
    with suppress(FileExistsError), _no_umask():
        folder.mkdir(mode=0o1777)
    return folder


def _open(path: Path) -> int:
    """Open a lock file, which may belong to another user."""
    try:
        # Two steps: in a sticky folder, Linux (fs.protected_regular) refuses O_CREAT on another user's file.
        with suppress(FileExistsError), _no_umask():
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        reason = system_reason(error)
        raise DeviceError(path, reason, "a file to lock", "Let all users write there, or set TMPDIR.") from None


@contextmanager
def _no_umask() -> Iterator[None]:
    """Let the block create files with the full mode it asks for."""
    mask = os.umask(0)
    try:
        yield
    finally:
        os.umask(mask)
