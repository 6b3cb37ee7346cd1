"""The page on installation: the sizes that it states are those of the installed packages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_INSTALLED = {"timm", "torchvision"}
"""Extras of `make test-extras`."""
TOLERANCE = 5
"""MiB, and per cent, by which a size may differ: compiled files depend on the version of Python."""


@pytest.mark.full("looks at every file of an environment")
def test_the_sizes_of_extras_are_those_of_the_installed_packages() -> None:
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    command = [sys.executable, str(ROOT / "envs/sizes.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    measured = {name: int(count) for name, count in re.findall(r"(\w+) +(\d+) MiB", printed)}
    stated, unstated = {"torch": int(re.findall(r"torch comes on top: (\d+) MiB", page)[0])}, set()
    for line in page[page.index("| none |") :].split("\n\n")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"\w+", cells[0]):
            if cells[-1]:
                stated[name] = int(cells[-1].removesuffix(" MiB"))
            else:
                unstated.add(name)
    assert unstated == NOT_INSTALLED
    assert measured.keys() == stated.keys()
    for name, count in stated.items():
        assert count == pytest.approx(measured[name], abs=TOLERANCE, rel=TOLERANCE / 100), name
