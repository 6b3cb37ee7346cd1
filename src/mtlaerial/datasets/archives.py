"""Downloaded archives of a data set: verification and safe unpacking.

Whatever an archive contains, files are written only below the data root and none is overwritten. Unpacking ends with a
mark, ``.unpacked/NAME.json`` below the root.
"""

import shutil
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from mtlaerial.config.base import Section
from mtlaerial.config.sources import ArchiveSpec
from mtlaerial.datasets.hidden_names import is_shown_path
from mtlaerial.datasets.safe_zip import MARKS, open_archive, safe_entries
from mtlaerial.datasets.unpacking_folders import require_own_folders
from mtlaerial.errors import DataError
from mtlaerial.system.files import write_text, writing
from mtlaerial.system.hashing import file_hashes
from mtlaerial.system.progress import track

FOLDERS = (".", "archives")
"""Folders below the data root that are searched for an archive."""
CHUNK = 2**20


class Member(NamedTuple):
    """A file in an archive."""

    size: int
    crc: int


class Mark(Section):
    """The record of an unpacked archive, a JSON file below the data root."""

    archive: str
    hashes: dict[str, str]
    members: dict[str, Member]
    """The archive's files by path below the data root."""


@dataclass(frozen=True)
class Archive:
    """An archive's specification and the data root."""

    spec: ArchiveSpec
    root: Path

    @property
    def path(self) -> Path | None:
        """The archive's path; None where the file does not exist."""
        places = (self.root / folder / self.spec.file for folder in FOLDERS)
        return next((place for place in places if place.is_file()), None)

    @property
    def mark(self) -> Path:
        """Path of the record that unpacking writes last."""
        return self.root / MARKS / f"{self.spec.file}.json"

    @cached_property
    def members(self) -> dict[str, Member]:
        """The archive's files by path below the root: read from the archive, else from its mark; empty without both.

        Raises
        ------
        DataError
            When the archive cannot be unpacked.
        """
        if self.path is None:
            return self._marked
        with open_archive(self.path) as source:
            entries = safe_entries(source, self.path, self.spec.into)
        return {name: Member(info.file_size, info.CRC) for name, info in entries.items()}

    @property
    def _marked(self) -> dict[str, Member]:
        """The unpacked files by path below the root, as the mark records them; without hidden ones."""
        if not self.mark.exists():
            return {}
        try:
            members = Mark.model_validate_json(self.mark.read_text(encoding="utf-8")).members
            return {name: member for name, member in members.items() if self._is_shown(name)}
        except (OSError, ValueError):
            remedy = "Delete it, and the archive is unpacked again."
            raise DataError(self.mark, "something else", "what unpacking wrote", remedy) from None

    def _is_shown(self, name: str) -> bool:
        below = len(PurePosixPath(self.spec.into).parts)
        return is_shown_path(PurePosixPath(*PurePosixPath(name).parts[below:]))

    @property
    def pending(self) -> bool:
        """Whether the archive exists and its present content is not unpacked."""
        return self.path is not None and self._marked != self.members

    def require_place(self) -> None:
        """Refuse to unpack where nothing can be written, through links below the root, or into a project.

        Raises
        ------
        DataError
        """
        files = [*map(Path, self.members), self.mark.relative_to(self.root)]
        require_own_folders(self.root, files, self.spec.file)

    @property
    def provided(self) -> list[Path]:
        """Paths of the archive's files that exist, or of all while it is still to be unpacked."""
        paths = [self.root / name for name in self.members]
        if self.pending:
            return paths
        return [path for path in paths if path.exists()]

    @property
    def fingerprint(self) -> int:
        """A checksum of the list of files with their sizes and CRCs."""
        return zlib.crc32(repr(self.members).encode())


def unpack_pending(archives: Iterable[Archive]) -> None:
    """Unpack all archives that exist and are not unpacked yet; see :func:`unpack`."""
    for archive in archives:
        if archive.pending:
            unpack(archive)


def unpack(archive: Archive) -> None:
    """Verify an archive, unpack the files that do not exist yet, and write its mark.

    Raises
    ------
    DataError
        When the archive is missing, differs from the published hashes or is not safe to unpack, when the disk is too
        small, when a file with other content or a link is in the way, or when it would be unpacked into a project.
    """
    path = archive.path
    if path is None:
        raise DataError(archive.root / archive.spec.file, "no file", "an archive", f"Get it from {archive.spec.page}")
    hashes = _verify(path, archive.spec)
    with open_archive(path) as source:
        entries = safe_entries(source, path, archive.spec.into)
        archive.require_place()
        _require_space(archive.root, path, entries)
        for name, info in track(entries.items(), len(entries), f"unpacking {path.name}", "file"):
            _unpack_member(source, info, archive.root / name)
    mark = Mark(archive=archive.spec.file, hashes=hashes, members=archive.members)
    write_text(archive.mark, mark.model_dump_json(indent=1))


def _verify(path: Path, spec: ArchiveSpec) -> dict[str, str]:
    hashes = file_hashes(path, "md5", "sha256")
    for algorithm, published in spec.published.items():
        if hashes[algorithm] != published:
            observed, expected = f"the {algorithm.upper()} {hashes[algorithm]}", f"{published}, as published"
            remedy = (
                f"It is damaged or another file: get it anew from {spec.page}; or unpack it yourself and take it away."
            )
            raise DataError(path, observed, expected, remedy)
    return hashes


def _require_space(root: Path, path: Path, entries: dict[str, ZipInfo]) -> None:
    needed = sum(info.file_size for name, info in entries.items() if not (root / name).exists())
    free = shutil.disk_usage(root).free
    if needed > free:
        remedy = "Free space, or move the data set to a larger disk."
        raise DataError(root, f"{free / 1e9:.2f} GB free", f"{needed / 1e9:.2f} GB to unpack {path.name}", remedy)


def _unpack_member(source: ZipFile, info: ZipInfo, target: Path) -> None:
    """Unpack a file, unless it exists with the same content."""
    if target.exists() or target.is_symlink():
        if not (target.is_file() and _is_member(target, info)):
            observed = "a link to nothing" if target.is_symlink() and not target.exists() else "another file"
            remedy = "Move it away; it is not overwritten."
            raise DataError(target, observed, f"no file, or that of {source.filename}", remedy)
        return
    with writing(target) as partial, source.open(info) as packed, partial.open("wb") as file:
        shutil.copyfileobj(packed, file, CHUNK)


def _is_member(path: Path, info: ZipInfo) -> bool:
    """Compare a file with an archive's by size and CRC."""
    if path.stat().st_size != info.file_size:
        return False
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc == info.CRC
