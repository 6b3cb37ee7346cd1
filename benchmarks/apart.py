"""Measurements in processes of their own: each with memory that no other has touched."""

import multiprocessing
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any


def alone() -> ProcessPoolExecutor:
    """Return a pool of one new process."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def apart(measure: Any, *arguments: Any) -> dict[str, Any]:
    """Run a measurement in a new process and a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, alone() as pool:
        return dict(pool.submit(measure, Path(folder), *arguments).result())


def peak_above(rest: int) -> float:
    """Return by how many megabytes the process's peak exceeds its memory at rest, given in bytes."""
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - rest) / 2**20
