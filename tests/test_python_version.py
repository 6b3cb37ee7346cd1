"""The check of Python's version, which make does before it builds an environment."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OLD = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[2])"
"""Code of a Python that says that it is 3.9."""


def check(python: object) -> tuple[int, str]:
    """Return exit code and output of the check of an interpreter."""
    command = ["sh", str(ROOT / "envs/python_version.sh"), str(python)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def program(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def test_this_python_is_taken_without_a_word() -> None:
    assert check(sys.executable) == (0, "")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"""exec {sys.executable} -c '{OLD}' "$@" """, "found Python 3.9.2; expected Python 3.11 or later"),
        ("exit 3", "found a program that is no Python; expected Python 3.11 or later"),
        (f"""[ "$2" = 'import ensurepip, venv' ] && exit 1; exec {sys.executable} "$@" """, "without venv; expected"),
    ],
    ids=["too old", "no Python", "without venv"],
)
def test_another_program_is_refused_in_one_sentence(line: str, found: str, tmp_path: Path) -> None:
    python = program(tmp_path / "python", line)
    code, output = check(python)
    assert code == 1
    assert output.startswith(f"Error: PYTHON={python}: found ")
    assert found in output
    assert output.count("\n") == 1


def test_a_program_that_is_not_there_is_named() -> None:
    code, output = check("python3.99")
    assert code == 1
    assert output == (
        "Error: PYTHON=python3.99: found no such program; expected Python 3.11 or later with venv. "
        "Name one, for example: make PYTHON=python3.11\n"
    )


def test_make_checks_before_it_builds_any_environment() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert makefile.count("-m venv") == makefile.count("sh envs/python_version.sh $(PYTHON) && $(PYTHON) -m venv") == 1
