"""Spelling of folder names: published ones have spaces, copies often underscores or neither."""

import os
from collections.abc import Collection
from pathlib import Path

from mtlaerial.errors import DataError


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

    Raises
    ------
    DataError
        When two folders have such a name and neither has the exact one.
    """
    path = root
    for name in folder.parts:
        exact = path / name
        # Unlike Path.exists, os.path.exists is False for a name that is too long.
        path = exact if exact in expected or os.path.exists(exact) else _similar(exact, expected)
    return path


def _similar(exact: Path, expected: Collection[Path]) -> Path:
    """Return the one folder whose name differs in spelling alone; the exact path if there is none."""
    siblings = {*_subfolders(exact.parent), *(folder for folder in expected if folder.parent == exact.parent)}
    similar = sorted(folder for folder in siblings if normalise(folder.name) == normalise(exact.name))
    if len(similar) > 1:
        names = " and ".join(folder.name for folder in similar)
        remedy = f"Move one of them away, or rename the right one to {exact.name}."
        raise DataError(exact.parent, f"the folders {names}", f"one folder {exact.name}, however spelled", remedy)
    return similar[0] if similar else exact


def _subfolders(parent: Path) -> list[Path]:
    if not os.path.isdir(parent):
        return []
    return [path for path in parent.iterdir() if path.is_dir()]


def normalise(name: str) -> str:
    """Return a folder's name without what spellings differ in.

    Examples
    --------
    >>> normalise("Lidar GeoTiff_Rasters")
    'lidargeotiffrasters'
    """
    return name.replace(" ", "").replace("_", "").casefold()
