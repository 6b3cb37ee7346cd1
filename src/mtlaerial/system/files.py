"""Atomic writes: temporary files, renamed when they are complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mtlaerial.errors import DataError, deepest_cause


def partial_path(path: Path) -> Path:
    """Return the temporary path of a file: hidden, in the same folder, with the same suffix."""
    # The same folder, as os.replace is atomic only within a file system; the suffix, as GDAL chooses drivers by it.
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


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

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    partial = partial_path(path)
    try:
        with writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            os.replace(partial, path)
    finally:
        discard(partial)


def discard(path: Path) -> None:
    """Remove a file if it exists; ignore all errors of the file system."""
    with suppress(OSError):
        path.unlink()
