"""What an installation fetches is pinned: packages by hash, the container's base by digest, licences on a page."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from test_dependencies import declared

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-extras.lock")
ALONE = {"torch", "mtlaerial"}
"""Declared packages that the first lock lacks: the one of envs/first.txt, and this one."""
OLDEST = "requirements-oldest.lock"
EXTRAS = {"timm", "torchvision"}
"""Declared packages of `make test-extras` alone, pinned with another torch."""

UNTRIED = {*EXTRAS, "snakemake_executor_plugin_slurm"}
"""Packages that :data:`OLDEST` lacks; the oldest plugin for SLURM needs a later numpy than the project does."""


def pinned(lock: str = LOCKS[0]) -> dict[str, str]:
    """Return the text of every package's lines in a lock, by name."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[\w.-]+==)", "\n" + re.sub(r"(?m)^\s*#.*\n", "", text))[1:]
    return {entry.split("==")[0].lower().replace("-", "_"): entry for entry in entries}


@pytest.mark.parametrize(("lock", "least"), [(LOCKS[0], 100), (LOCKS[1], 30), (OLDEST, 100)])
def test_every_package_of_a_lock_has_whole_hashes(lock: str, least: int) -> None:
    assert len(pinned(lock)) > least
    without = [name for name, entry in pinned(lock).items() if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)]
    assert not without


def test_the_locks_hold_every_declared_package_but_those_installed_alone() -> None:
    assert declared() - set(pinned()) == ALONE | EXTRAS
    assert {*EXTRAS, "torch"} <= set(pinned(LOCKS[1]))


def test_the_oldest_versions_are_the_bounds_of_pyproject() -> None:
    versions = {name: entry.split()[0].split("==")[1] for name, entry in pinned(OLDEST).items()}
    bounds = {name: bound for name, bound in lower_bounds().items() if name not in UNTRIED}
    assert len(bounds) > 20
    assert {name: padded(versions[name]) for name in bounds} == {name: padded(bound) for name, bound in bounds.items()}


def lower_bounds() -> dict[str, str]:
    """Return the least version of each package that an installation may have, with or without extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (entries for extra, entries in project["optional-dependencies"].items() if extra != "dev")
    entries = [*project["dependencies"], *(entry for extra in extras for entry in extra)]
    found = (re.match(r"([\w-]+)(?:\[[\w,]+\])?(?:>=|==)([\d.]+)", entry) for entry in entries)
    return {match[1].lower().replace("-", "_"): match[2] for match in found if match}


def padded(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version, zeros where it has fewer."""
    numbers = [int(number) for number in version.split(".")][:3]
    return tuple(numbers + [0] * (3 - len(numbers)))


def test_the_locks_agree_on_the_packages_of_both() -> None:
    first, extras = (pinned(lock) for lock in LOCKS)
    assert not {name for name in first.keys() & extras if first[name].splitlines()[0] != extras[name].splitlines()[0]}


def test_the_base_of_the_container_has_a_digest() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "envs/Containerfile").read_text(), re.MULTILINE)
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)


def test_the_page_of_licences_is_that_of_the_lock_and_names_no_gpl() -> None:
    command = [sys.executable, str(ROOT / "envs/licences.py")]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert page == (ROOT / "docs/licences.md").read_text(encoding="utf-8")
    licences = {row.split(" | ")[0]: row for row in page.splitlines() if row.startswith("| ")}
    assert licences.keys() >= {f"| {name.replace('_', '-')}" for lock in LOCKS for name in pinned(lock)}
    copyleft = [row for row in licences.values() if re.search(r"\b[AL]?GPL|General Public", row)]
    assert [row.split(" | ")[0] for row in copyleft] == ["| docutils"]
