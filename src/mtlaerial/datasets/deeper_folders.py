"""Folders that lie deeper than expected, as unpacking by hand often leaves them."""

import os
from collections.abc import Collection, Iterable, Iterator, Set
from pathlib import Path, PurePath

from mtlaerial.datasets.folder_spelling import normalise
from mtlaerial.datasets.hidden_names import is_shown

ABOVE = 2
"""Largest number of unexpected folders above an expected one."""
INSIDE = 1
"""Largest number of unexpected folders between an expected one and its files."""
DEEPEST = 8
"""Levels of folders below the root that are looked at."""
SEARCHED = 10_000
"""Largest number of folders below the root that are looked at."""
Parts = tuple[str, ...]


def deeper_folders(folders: Iterable[PurePath], expected: Collection[PurePath], names: Set[str]) -> list[Path]:
    """Return the folders that are an expected one below unexpected ones, or an unexpected one inside it.

    Parameters
    ----------
    folders : iterable of PurePath
        Folders that exist, relative to the root.
    expected : collection of PurePath
        Folders that are expected there.
    names : set of str
        Normalised names of all folders that a data set expects: an inner folder of such a name has other files.

    Examples
    --------
    >>> actual = [Path("download/nDSM"), Path("nDSM/heights"), Path("nDSM/top"), Path("nDSM")]
    >>> [folder.as_posix() for folder in deeper_folders(actual, [Path("nDSM")], {"ndsm", "top"})]
    ['download/nDSM', 'nDSM/heights']
    """
    endings = [_normalised(folder) for folder in expected if folder.parts]
    return [Path(folder) for folder in folders if any(_is_deeper(_normalised(folder), end, names) for end in endings)]


def _is_deeper(parts: Parts, expected: Parts, names: Set[str]) -> bool:
    for inside in range(INSIDE + 1):
        end = len(parts) - inside
        above = end - len(expected)
        deeper = above + inside > 0 and 0 <= above <= ABOVE
        if deeper and parts[above:end] == expected and names.isdisjoint(parts[end:]):
            return True
    return False


def _normalised(folder: PurePath) -> Parts:
    return tuple(map(normalise, folder.parts))


def walk_folders(root: Path) -> list[Path]:
    """Return the folders below a root, relative to it, in the order of their names.

    Links to folders are followed. Hidden folders are left out, and those that macOS adds to archives.
    """
    folders: list[Path] = []
    for folder in _walk(root, DEEPEST):
        folders.append(folder.relative_to(root))
        if len(folders) == SEARCHED:
            break
    return folders


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and is_shown(entry.name))
    except OSError:
        return
    for name in names:
        yield folder / name
        if depth > 1:
            yield from _walk(folder / name, depth - 1)
