"""Atomic writes: a file appears under its final name only when it is complete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mtlaerial.errors import DataError, deepest_cause


def partial_path(path: Path) -> Path:
    """Return where a file is written before it gets its final name: beside it, hidden, with its suffix."""
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file gets its final name when the block ends well, else it is removed.

    Raises
    ------
    DataError
        When the folder cannot be written or the disk is full.
    """
    partial = partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or deepest_cause(error)
        remedy = "Free space, or choose another folder."
        raise DataError(path, reason, "a place to write to", remedy) from error
    finally:
        discard(partial)


def discard(path: Path) -> None:
    """Remove a file if there is one; also where there cannot be one."""
    with suppress(OSError):
        path.unlink()
