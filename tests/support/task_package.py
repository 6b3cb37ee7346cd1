"""Packages that register tasks: those of docs/adding-a-task.md, and others."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlaerial.config import task_entry
from mtlaerial.config.tasks import GROUP
from support.paths import ROOT

PAGE = ROOT / "docs" / "adding-a-task.md"
COVER = """
from dataclasses import replace
from mtlaerial.tasks import SEMANTICS, MapLayer

COVER = replace(SEMANTICS, name="cover", maps=(MapLayer("cover", "classes", "land cover"),), title="land cover")
"""
"""A second task of classes."""


def documented_modules() -> dict[str, str]:
    """Return the modules of the examples of docs/adding-a-task.md by name."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"`(\w+)\.py`(?:(?!\.py`).)*?```python\n(.*?)```", text, re.DOTALL))


def documented_entry_points() -> list[str]:
    """Return the lines of these examples that register tasks."""
    lines = re.findall(r'^(\w+ = "\w+:\w+")$', PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [line.replace('"', "") for line in lines]


@contextmanager
def installed(folder: Path, modules: dict[str, str], *entry_points: str) -> Iterator[None]:
    """Install a package of some modules that registers tasks, for the duration of a block."""
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    info = folder / "other_tasks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other_tasks\nVersion: 1.0\n", encoding="utf-8")
    lines = "\n".join((f"[{GROUP}]", *entry_points, ""))
    (info / "entry_points.txt").write_text(lines, encoding="utf-8")
    sys.path.insert(0, str(folder))
    task_entry.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        task_entry.cache_clear()
        for name in modules:
            sys.modules.pop(name, None)
