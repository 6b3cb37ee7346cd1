"""Paths that the patterns of a data set allow for its files, below folders however spelled or one deeper."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path

from mtlaerial.config.layers import Patterns
from mtlaerial.config.tile_fields import fill, is_per_tile
from mtlaerial.datasets.deeper_folders import deeper_folders, walk_folders
from mtlaerial.datasets.folder_spelling import find_folder, normalise
from mtlaerial.datasets.hidden_names import is_shown_path
from mtlaerial.errors import DataError

Source = tuple[str, Patterns]
"""A layer, or ``footprints``, and the accepted patterns of one of its files."""


@dataclass(frozen=True)
class Places:
    """The places of a data set's files.

    Attributes
    ----------
    root : Path
    folders : sequence of str
        Folders below the root that are searched for each file.
    provided : mapping of Path to Path
        Files from archives, unpacked or still to be.
    sources : mapping of Source to sequence of str
        The tiles that each list of accepted patterns is for.
    tile_name : str
        Pattern of the tiles' names; empty where only whole names stand in paths.
    """

    root: Path
    folders: tuple[str, ...]
    provided: Mapping[Path, Path]
    sources: Mapping[Source, tuple[str, ...]]
    tile_name: str = ""
    _lookups: dict[Path, list[Path]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def exists(self, path: Path) -> bool:
        """Tell whether a file exists, or will once the archives are unpacked."""
        # Unlike Path.exists, it is False for a name that is too long.
        return path in self.provided or os.path.exists(path)

    def candidates(self, source: Source, tile: str) -> tuple[Path, ...]:
        """Return the accepted paths of a tile's file of a source, preferred ones first."""
        return tuple(path for pattern in source[1] for path in self.paths(source, pattern, tile))

    def paths(self, source: Source, pattern: str, tile: str) -> tuple[Path, ...]:
        """Return the path of a tile by a pattern in each folder of the specification.

        The same paths with their ending in the other case, as .TIF for .tif, follow. Where no file of the source lies
        in these folders, but in one folder deeper, the path there is the last.

        Raises
        ------
        DataError
            When two folders could be meant.
        """
        paths = self._expected_paths(pattern, tile)
        if any(map(self.exists, paths)) or (source, pattern) not in self.deeper:
            return paths
        folder = self.root / self.deeper[source, pattern]
        return (*paths, *_in_either_case([folder / Path(self.fill(pattern, tile)).name]))

    def fill(self, pattern: str, tile: str) -> str:
        """Return the path that a pattern gives for a tile."""
        return fill(pattern, tile, self.tile_name)

    def pattern_of(self, source: Source, tile: str, path: Path) -> str:
        """Return the pattern that one of a tile's accepted paths comes from."""
        return next(pattern for pattern in source[1] if path in self.paths(source, pattern, tile))

    @cached_property
    def deeper(self) -> dict[tuple[Source, str], Path]:
        """The folder, relative to the root, of each source that has no file where one is expected, and its pattern."""
        deeper = {}
        for source, tiles in self.sources.items():
            if not self._is_expected_anywhere(source, tiles):
                for pattern in source[1]:
                    if folder := self._deeper_folder(source, pattern, tiles):
                        deeper[source, pattern] = folder
                        break
        return deeper

    def _expected_paths(self, pattern: str, tile: str) -> tuple[Path, ...]:
        file = Path(self.fill(pattern, tile))
        # Other spellings are accepted for folders, not for tiles: a_1 is not a1.
        shared = file.parent if file.parent == Path(pattern).parent else Path()
        name = file.relative_to(shared)
        return _in_either_case([folder / name for folder in self._expected_folders(shared)])

    def _expected_folders(self, shared: Path) -> list[Path]:
        """Return the folder of a pattern in each folder of the specification; they are looked up once."""
        if shared not in self._lookups:
            folders = [Path(folder, shared) for folder in self.folders]
            self._lookups[shared] = [find_folder(self.root, folder, self._provided_folders) for folder in folders]
        return self._lookups[shared]

    def _is_expected_anywhere(self, source: Source, tiles: tuple[str, ...]) -> bool:
        """Tell whether any file of a source lies where one is expected, or would but for a broken link."""
        paths = (path for tile in tiles for pattern in source[1] for path in self._expected_paths(pattern, tile))
        return any(self.exists(path) or _is_broken(path) or _is_broken(path.parent) for path in paths)

    def _deeper_folder(self, source: Source, pattern: str, tiles: tuple[str, ...]) -> Path | None:
        """Return the one deeper folder that holds a file of a pattern; None if there is none."""
        shared = Path(pattern).parent
        if is_per_tile(shared.as_posix()):
            return None
        file = Path(pattern).name
        names = [path.name for tile in tiles for path in _in_either_case([Path(self.fill(file, tile))])]
        expected = [Path(folder, shared) for folder in self.folders]
        holding = {
            folder: {name for name in names if self.exists(self.root / folder / name)}
            for folder in deeper_folders(self._actual_folders, expected, self._expected_names)
        }
        holding = {folder: present for folder, present in holding.items() if present}
        self._require_distinct(source, holding)
        return next(iter(holding)) if len(holding) == 1 else None

    def _require_distinct(self, source: Source, holding: Mapping[Path, set[str]]) -> None:
        """Refuse a file that lies in two deeper folders; files that are spread over several are missing."""
        for (first, names), (second, others) in combinations(holding.items(), 2):
            if twice := sorted(names & others):
                both = f"{twice[0]} in {first} and in {second}"
                remedy = "Move one of them away, or the right one to where the specification expects it."
                raise DataError(self.root, f"{both}, but in no expected folder", f"one file of {source[0]}", remedy)

    @cached_property
    def _provided_folders(self) -> frozenset[Path]:
        return frozenset(folder for path in self.provided for folder in path.parents)

    @cached_property
    def _actual_folders(self) -> list[Path]:
        """Existing folders relative to the root, and those that archives will be unpacked to."""
        provided = [folder.relative_to(self.root) for folder in self._provided_folders if self.root in folder.parents]
        return list(dict.fromkeys([*walk_folders(self.root), *sorted(filter(is_shown_path, provided))]))

    @cached_property
    def _expected_names(self) -> frozenset[str]:
        """The normalised names of all folders in patterns and ``folders``."""
        patterns = [pattern for _, accepted in self.sources for pattern in accepted]
        folders = [*map(Path, self.folders), *(Path(pattern).parent for pattern in patterns)]
        return frozenset(normalise(part) for folder in folders for part in folder.parts)


def _is_broken(path: Path) -> bool:
    """Tell whether a path is a link to nothing, e.g. to a disk that is not mounted."""
    return os.path.islink(path) and not os.path.exists(path)


def _in_either_case(paths: list[Path]) -> tuple[Path, ...]:
    """Return paths, then the same with their ending in the other case."""
    return (*paths, *(path.with_suffix(path.suffix.swapcase()) for path in paths if path.suffix))
