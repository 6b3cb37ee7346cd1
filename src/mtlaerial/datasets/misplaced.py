"""Missing files that lie elsewhere below the data root, or in an archive that the specification does not list."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from mtlaerial.config import PREPARED_LAYERS
from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.safe_zip import open_archive
from mtlaerial.errors import DataError

SEARCHED = 100_000
"""Largest number of files below the root that are looked at."""


@dataclass(frozen=True)
class Misplaced:
    """A file of a missing file's name: where it lies, as text, and what to do."""

    place: str
    remedy: str


def find_misplaced(dataset: Dataset, expected: Path) -> Misplaced | None:
    """Return where a file of the name of a missing one lies; None if nowhere.

    Parameters
    ----------
    dataset : Dataset
    expected : Path
        The preferred path of the missing file.
    """
    files, archives = _inventory(dataset.root)
    name = expected.name.casefold()
    ambiguous = _count_sources(dataset, name) > 1  # then the folder tells the layer
    for path in files.get(name, ()):
        same_layer = not ambiguous or expected.parent.name.casefold() in map(str.casefold, path.parent.parts)
        if same_layer and path.exists():  # it may have moved since files were listed
            return Misplaced(f"one of that name is {path}", _move(dataset.root, expected, path))
    listed = {entry.path for entry in dataset.archives}  # they are unpacked without help
    unlisted = [path for path in archives.get(name, ()) if path not in listed and path.exists()]
    archive = next(iter(unlisted), None)
    return Misplaced(f"{archive} holds one of that name", _unpack(dataset)) if archive else None


def _count_sources(dataset: Dataset, name: str) -> int:
    """Return the number of sources (layers; surface and ground are two) that have a file of a case-folded name."""
    sources = set()
    for tile in dataset.spec.tiles:
        for layer in PREPARED_LAYERS:
            for index, accepted in enumerate(dataset.patterns(layer, tile)):
                names = {Path(pattern.replace("{tile}", tile)).name.casefold() for pattern in accepted}
                if name in names:
                    sources.add((layer, index))
    return len(sources)


def _move(root: Path, expected: Path, actual: Path) -> str:
    """Return what to do with a file that lies elsewhere: if it is only the root that is wrong, to correct that."""
    below_root, parts = expected.parts[len(root.parts) :], actual.relative_to(root).parts
    if len(parts) > len(below_root) and parts[-len(below_root) :] == below_root:
        return f"Give {root.joinpath(*parts[: -len(below_root)])} as the data set's folder (--root, or root)."
    return "Move it to where it is expected, or add its folder to folders in the specification."


def _unpack(dataset: Dataset) -> str:
    listed = [entry.spec for entry in dataset.archives if entry.path is None]
    if listed:
        return f"Rename it to {_names(listed)}, if it is that archive, or unpack it."
    return "Unpack it, or list it under archives in the specification."


def _names(archives: list[ArchiveSpec]) -> str:
    return " or ".join(archive.file for archive in archives)


@cache
def _inventory(root: Path) -> tuple[dict[str, tuple[Path, ...]], dict[str, tuple[Path, ...]]]:
    """Return the files below a folder, and the archives that hold files, by case-folded name of the file."""
    files: dict[str, tuple[Path, ...]] = {}
    archives: dict[str, tuple[Path, ...]] = {}
    for path in islice(_files(root), SEARCHED):
        name = path.name.casefold()
        files[name] = (*files.get(name, ()), path)
        if path.suffix.lower() == ".zip":
            for member in _members(path):
                archives[member] = (*archives.get(member, ()), path)
    return files, archives


def _files(root: Path) -> Iterator[Path]:
    """Yield all files below a folder in the order of their names; hidden ones and links to folders are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names))


def _members(path: Path) -> set[str]:
    """Return the case-folded names of the files in an archive; none where it cannot be read."""
    try:
        with open_archive(path) as source:
            return _names_in(source)
    except DataError:
        return set()


def _names_in(source: ZipFile) -> set[str]:
    return {PurePosixPath(info.filename).name.casefold() for info in source.infolist() if not info.is_dir()}
