"""Every package that the code imports is declared, so that an installation has it whatever else changes."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = {"pil": "pillow", "yaml": "pyyaml"}
"""Distributions by imported names, where they differ."""


def imported(folder: str) -> dict[str, str]:
    """Return the packages that the files in a folder import, each with a file that does."""
    packages = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            packages |= {module.split(".")[0].lower(): str(path) for module in modules}
    local = {"mtlaerial", *(path.stem for path in (ROOT / folder).rglob("*.py"))}
    standard = {name.lower() for name in sys.stdlib_module_names}
    return {NAMES.get(name, name): path for name, path in packages.items() if name not in standard | local}


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entries = [
        *project["dependencies"],
        *(entry for extra in project["optional-dependencies"].values() for entry in extra),
    ]
    return {re.split(r"[\[<>=~!; ]", entry)[0].lower().replace("-", "_") for entry in entries}


@pytest.mark.parametrize("folder", ["src/mtlaerial", "workflow"])
def test_imported_packages_are_declared(folder: str) -> None:
    missing = {name: path for name, path in imported(folder).items() if name not in declared()}
    assert not missing
