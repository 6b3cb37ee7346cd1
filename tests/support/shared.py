"""Fixtures made once per test run and read by all of its processes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of pytest-xdist have in common; without workers, that of the run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Path:
    """Return a folder of the test run, made by the first process that asks for it; tests only read it.

    A folder is complete when the mark beside it is there: what a failed or killed process left is made again.

    Parameters
    ----------
    make : callable
        Fills the folder, which does not exist yet.
    """
    root = shared_folder(tmp_path_factory)
    folder, complete = root / "shared" / name, root / "shared" / f"{name}.complete"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(root / "shared" / f"{name}.lock"):
        if not complete.exists():
            _clear(folder)
            make(folder)
            complete.touch()
    return folder


def _clear(folder: Path) -> None:
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.failed"))
