"""Folders as they are really spelled: downloads come with spaces, copies of them with underscores or with neither."""

from collections.abc import Collection
from pathlib import Path


def spelled(root: Path, folder: Path, expected: Collection[Path] = ()) -> Path:
    """Return a folder below a root, or the one there whose path differs in spaces, underscores or case only.

    Parameters
    ----------
    root : Path
    folder : Path
        Relative to the root.
    expected : collection of Path
        Folders that count as there: those that archives will be unpacked to.

    Returns
    -------
    Path
        As asked for, where there is none of either kind.
    """
    found = root
    for name in folder.parts:
        exact = found / name
        if exact not in expected and not exact.exists():
            there = sorted({*_folders(found), *(path for path in expected if path.parent == found)})
            exact = next((path for path in there if _same(path.name, name)), exact)
        found = exact
    return found


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return name.replace(" ", "").replace("_", "").casefold()
