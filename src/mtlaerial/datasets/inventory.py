"""Inventory of a data set's folder: all files by name, and the members of all zip archives."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path, PurePosixPath
from zipfile import is_zipfile

from mtlaerial.datasets.hidden_names import is_shown, is_shown_path
from mtlaerial.datasets.safe_zip import files_in, open_archive
from mtlaerial.errors import DataError

SEARCHED = 100_000
"""Largest number of files below the root that are looked at."""


@dataclass(frozen=True)
class Inventory:
    """The files below a root.

    Attributes
    ----------
    files : dict of str to tuple of Path
        By case-folded name.
    archives : dict of Path to tuple of PurePosixPath
        The members of each zip archive that can be read.
    """

    files: dict[str, tuple[Path, ...]]
    archives: dict[Path, tuple[PurePosixPath, ...]]


@cache
def take_inventory(root: Path) -> Inventory:
    """Return the inventory of a folder; it is taken once."""
    files: dict[str, tuple[Path, ...]] = {}
    archives: dict[Path, tuple[PurePosixPath, ...]] = {}
    for path in islice(_files(root), SEARCHED):
        name = path.name.casefold()
        files[name] = (*files.get(name, ()), path)
        if _may_be_archive(path) and (members := _members(path)):
            archives[path] = members
    return Inventory(files, archives)


def _files(root: Path) -> Iterator[Path]:
    """Yield all files below a folder in the order of their names; hidden ones and links to folders are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(filter(is_shown, folders))
        yield from (Path(folder, name) for name in sorted(filter(is_shown, names)))


def _may_be_archive(path: Path) -> bool:
    """Tell whether a file may be a zip archive: by its ending, of which some downloads have none."""
    return path.suffix.lower() == ".zip" or (not path.suffix and is_zipfile(path))


def _members(path: Path) -> tuple[PurePosixPath, ...]:
    """Return the files in an archive; none where it cannot be read."""
    try:
        with open_archive(path) as source:
            files = [PurePosixPath(info.filename) for info in files_in(source)]
    except DataError:
        return ()
    return tuple(filter(is_shown_path, files))
