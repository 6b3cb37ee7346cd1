"""Atomic writes: temporary files, renamed when they are complete."""

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from mtlaerial.errors import DataError, deepest_cause

_HOST = re.sub(r"[^A-Za-z0-9]+", "_", platform.node()) or "localhost"
_LEFTOVER = re.compile(rf"\..*\.{_HOST}-(\d+)\.part\..*")


def partial_path(path: Path) -> Path:
    """Return the temporary path of a file: hidden, in the same folder, with the same suffix.

    The name says which process on which machine writes it, for :func:`remove_leftovers`.
    """
    # The same folder, as os.replace is atomic only within a file system; the suffix, as GDAL chooses drivers by it.
    return path.with_name(f".{path.stem}.{_HOST}-{os.getpid()}.part{path.suffix}")


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn errors of the file system in the block into one that names a path.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or deepest_cause(error)
        remedy = "Free space, or choose another folder."
        raise DataError(path, reason, "a place to write to", remedy) from error


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; rename it to the final one when the block succeeds, else remove it.

    The file has the mode that the umask gives, however the block creates it.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    partial = partial_path(path)
    try:
        with writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = _mode_of_new_files(partial)
            yield partial
            os.chmod(partial, mode)
            os.replace(partial, path)
    finally:
        discard(partial)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, with the line ends that the text has, on every system; see :func:`writing`."""
    with writing(path) as partial:
        partial.write_bytes(text.encode("utf-8"))


def _mode_of_new_files(path: Path) -> int:
    """Return the mode of a file that is created there; os.umask is only read by changing it for all threads."""
    path.touch()
    mode = path.stat().st_mode
    path.unlink()
    return mode


def discard(path: Path) -> None:
    """Remove a file if it exists; ignore all errors of the file system."""
    with suppress(OSError):
        path.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files in a folder whose process on this machine has ended, as it does when it is killed."""
    with suppress(OSError):
        for path in list(folder.iterdir()):
            leftover = _LEFTOVER.fullmatch(path.name)
            if leftover and not psutil.pid_exists(int(leftover[1])):
                discard(path)
