"""Folders of this repository, and the environment of processes that import `support`."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


def environment(**variables: str) -> dict[str, str]:
    """Return the environment with the tests' folder on Python's path, and variables."""
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, **variables}
