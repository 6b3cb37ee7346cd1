"""Packages of others: modules beside the metadata by which they register what they bring."""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

BROKEN = """
from torch import nn

def raises(bands, outputs, reduction, dropout):
    raise RuntimeError("no licence\\nfor this machine")

def layer(bands, outputs, reduction, dropout):
    return nn.Conv2d(bands, 1, 1)

def layers(bands):
    return nn.Conv2d(bands, 8, 1)
"""
BROKEN_ENTRIES = {
    "mtlaerial.networks": {
        "raising": "broken:raises", "layer": "broken:layer", "absent": "broken:missing", "no_module": "breaks:layer",
    },
    "mtlaerial.encoders": {"layers": "broken:layers"},
}  # fmt: skip


def install(folder: Path, module: str, code: str, entry_points: Mapping[str, Mapping[str, str]]) -> None:
    """Write a package of one module.

    Parameters
    ----------
    folder : Path
        A folder of ``sys.path``.
    module : str
    code : str
        Its text.
    entry_points : mapping
        By group, ``module:attribute`` by name.
    """
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    lines = []
    for group, entries in entry_points.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def install_project(folder: Path, pyproject: str, code: str) -> None:
    """Write a package of one module, of the project's name, as its ``pyproject.toml`` says."""
    project = tomllib.loads(pyproject)["project"]
    install(folder, project["name"], code, project["entry-points"])


def install_broken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a package whose networks and encoder do not work."""
    folder.mkdir(exist_ok=True)
    install(folder, "broken", BROKEN, BROKEN_ENTRIES)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "broken", raising=False)
