"""Folders as they are really spelled: downloads come with spaces, copies of them with underscores or with neither."""

from pathlib import Path


def spelled(root: Path, folder: Path) -> Path:
    """Return a folder below a root, or the one there whose path differs in spaces, underscores or case only.

    Parameters
    ----------
    root : Path
    folder : Path
        Relative to the root.

    Returns
    -------
    Path
        As asked for, where there is none of either kind.
    """
    found = root
    for name in folder.parts:
        exact = found / name
        found = exact if exact.exists() else next((path for path in _folders(found) if _same(path.name, name)), exact)
    return found


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return name.replace(" ", "").replace("_", "").casefold()
