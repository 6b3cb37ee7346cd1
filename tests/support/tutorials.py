"""Tutorials of docs/tutorials: the files that they write, and their commands, in the order of the page."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from support.paths import ROOT

FOLDER = ROOT / "docs/tutorials"
PAGES = sorted(FOLDER.glob("*.md"))
STEP = re.compile(
    r"^```(?:yaml|text)\n# (\S+)\n(.*?)^```$|^ {4}((?:mtlaerial|snakemake|rm) [^\n]+)$", re.MULTILINE | re.DOTALL
)


class Step(NamedTuple):
    """A file that the page writes, or a command that it gives."""

    file: str
    text: str
    command: tuple[str, ...]


def steps(page: Path) -> list[Step]:
    """Return the steps of a page in their order."""
    matches = STEP.finditer(page.read_text(encoding="utf-8"))
    return [Step(match[1] or "", match[2] or "", tuple(shlex.split(match[3] or ""))) for match in matches]


def commands(page: Path) -> list[tuple[str, ...]]:
    """Return the commands of a page."""
    return [step.command for step in steps(page) if step.command]


def open_workplace(folder: Path) -> None:
    """Link the workflow into a folder, as a checkout has it."""
    for name in ("Snakefile", "config", "profiles", "workflow"):
        (folder / name).symlink_to(ROOT / name)


def follow(page: Path, folder: Path) -> None:
    """Write the files of a page and run its commands in a folder.

    Raises
    ------
    AssertionError
        When a command fails; with what it printed.
    """
    open_workplace(folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
    for step in steps(page):
        if step.file:
            target = folder / step.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text, encoding="utf-8")
            continue
        done = subprocess.run(
            step.command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
        )
        assert done.returncode == 0, f"{shlex.join(step.command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
