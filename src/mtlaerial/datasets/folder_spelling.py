"""Spelling of folder names: published ones have spaces, copies often underscores or neither."""

from collections.abc import Collection
from pathlib import Path


def find_folder(root: Path, folder: Path, expected: Collection[Path] = ()) -> Path:
    """Return a folder below a root, also if its path there differs in spaces, underscores or case.

    Parameters
    ----------
    root : Path
    folder : Path
        Relative to the root.
    expected : collection of Path
        Folders that count as existing: archives will be unpacked to them.

    Returns
    -------
    Path
        The folder's actual path; ``root / folder`` if no such folder exists.
    """
    path = root
    for name in folder.parts:
        exact = path / name
        if exact in expected or exact.exists():
            path = exact
        else:
            siblings = [*_subfolders(path), *(candidate for candidate in expected if candidate.parent == path)]
            # Sorted: of several similar names always the same is chosen.
            similar = (sibling for sibling in sorted(siblings) if _normalise(sibling.name) == _normalise(name))
            path = next(similar, exact)
    return path


def _subfolders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return [path for path in parent.iterdir() if path.is_dir()]


def _normalise(name: str) -> str:
    return name.replace(" ", "").replace("_", "").casefold()
