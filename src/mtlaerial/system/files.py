"""Atomic writes: temporary files, renamed when they are complete."""

import errno
import os
import platform
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path

import psutil

from mtlaerial.errors import DataError, system_reason

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
        forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        remedy = f"{'Allow writing there' if forbidden else 'Free space'}, or choose another folder."
        raise DataError(path, system_reason(error), "a place to write to", remedy) from error


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; rename it to the final one when the block succeeds, else remove it.

    The file has the mode that the umask gives, however the block creates it. Its folder is made, and removed again if
    it stays empty.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    partial = partial_path(path)
    new_folders: list[Path] = []
    try:
        with writable(path):
            new_folders = make_folder(path.parent)
            mode = _mode_of_new_files(partial)
            yield partial
            os.chmod(partial, mode)
            os.replace(partial, path)
    finally:
        discard(partial)
        remove_empty(new_folders)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder, and return it and those above it that were made, for :func:`remove_empty`."""
    new_folders = list(takewhile(lambda each: not each.exists(), (folder, *folder.parents)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file in its place
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    return new_folders


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the deepest first, up to the first that is not empty; ignore all errors of the file system."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def require_place(path: Path) -> None:
    """Refuse a file that cannot be written, before the work whose result it is; nothing is left there.

    Raises
    ------
    DataError
        When its folder is not writable or the disk is full.
    """
    _try_in(path.parent, path)


def require_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before the work whose results it is for; see :func:`require_place`.

    Raises
    ------
    DataError
        When it is not writable or the disk is full.
    """
    _try_in(folder, folder)


def _try_in(folder: Path, named: Path) -> None:
    """Create and remove a file in a folder; an error names a path."""
    trial = partial_path(folder / "trial")
    new_folders: list[Path] = []
    try:
        with writable(named):
            new_folders = make_folder(folder)
            trial.touch()
    finally:
        discard(trial)
        remove_empty(new_folders)


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
