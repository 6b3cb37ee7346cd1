"""Untrusted zip archives: clear errors, bounded sizes, no links or encrypted files, no path outside the folder."""

import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from mtlaerial.datasets.hidden_names import is_shown_path
from mtlaerial.datasets.zip_directory import directory_bytes
from mtlaerial.errors import DataError

MARKS = ".unpacked"
"""The folder below the data root with the marks of unpacked archives; no archive may write there."""
ENCRYPTED = 0x1
"""Bit 0 of a member's general-purpose flags."""
LARGEST_DIRECTORY = 32 * 2**20
"""Bytes of an archive's list of members, which is read into memory."""
MOST_MEMBERS = 200_000
"""Largest number of members."""
EXPANDED = 2**30
"""Bytes that any archive may expand to."""
RATIO = 200
"""Largest ratio of expanded to packed bytes beyond that; label rasters of few classes reach 100."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
"""Of packing. LZMA is none of them: an archive chooses how much memory it takes."""
LONGEST_NAME, LONGEST_PATH = 255, 1024
"""Bytes of a file's or folder's name, and of a path, as file systems allow them."""
LONGEST_TEXT = 200
"""Characters of a name or a reason in a message."""
_TRUSTED = "Unpack it yourself if you trust it, and take it away."


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Open a zip archive for reading.

    Raises
    ------
    DataError
        When it is not a zip archive, truncated or damaged, or lists too many members; also when reading fails within
        the block.
    """
    try:
        _require_readable_directory(path)
        with ZipFile(path) as source:
            yield source
    except UnicodeDecodeError:
        remedy = "Unpack it yourself, and take it away."
        raise DataError(
            path, "names of files that are not the UTF-8 that they are marked as", "names in UTF-8", remedy
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        remedy = "It is cut off, damaged, or something else: get it anew."
        raise DataError(path, _brief(" ".join(str(error).split())), "a zip archive", remedy) from None


def _brief(text: str) -> str:
    """Return the beginning of a text: names in archives may be long, and zipfile's errors quote them."""
    return f"{text[:LONGEST_TEXT]}..." if len(text) > LONGEST_TEXT else text


def _require_readable_directory(path: Path) -> None:
    listed = directory_bytes(path)
    if listed > LARGEST_DIRECTORY:
        observed = f"a list of members of {listed / 2**20:.0f} MiB"
        raise DataError(path, observed, f"at most {LARGEST_DIRECTORY // 2**20} MiB", _TRUSTED)


def files_in(source: ZipFile) -> list[ZipInfo]:
    """Return the members of an archive that are no folders."""
    # ZipInfo.is_dir fails on an empty name.
    return [info for info in source.infolist() if not info.filename.endswith("/")]


def safe_entries(source: ZipFile, path: Path, into: str) -> dict[str, ZipInfo]:
    """Return the files in an archive by path below the data root; hidden ones and those of macOS are left out.

    Raises
    ------
    DataError
        When a file is encrypted, is a link, would be written outside the root, or occurs twice; when the archive has
        too many members, or expands too much.
    """
    entries: dict[str, ZipInfo] = {}
    files = files_in(source)
    _require_sizes(path, files)
    # Folders are included, so that no file takes the path of one.
    taken = {_same(parent) for info in files for parent in PurePosixPath(into, info.filename).parents}
    for info in files:
        name = PurePosixPath(into, info.filename)
        fault = _fault(info, name) or ("a second file of its name" if _same(name) in taken else "")
        if fault:
            raise DataError(
                path, f"{_brief(repr(info.filename))}, {fault}", "plain files in folders of their own", _TRUSTED
            )
        taken.add(_same(name))
        if is_shown_path(PurePosixPath(info.filename)):
            entries[str(name)] = info
    return entries


def _same(path: PurePosixPath) -> str:
    """Return a path as file systems compare it that ignore case and forms of accents."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _require_sizes(path: Path, files: Sequence[ZipInfo]) -> None:
    """Refuse archives that are made to fill memory or disk."""
    if len(files) > MOST_MEMBERS:
        raise DataError(path, f"{len(files)} files", f"at most {MOST_MEMBERS}", _TRUSTED)
    size, packed, expanded = path.stat().st_size, *_sums(files)
    if packed > size:
        raise DataError(path, f"files of {packed} packed bytes in {size}", "files that do not overlap", _TRUSTED)
    if expanded > max(EXPANDED, RATIO * size):
        observed = (
            f"files of {expanded / 2**20:,.0f} MiB in {size / 2**20:,.1f} MiB, {expanded / size:.0f} times as much"
        )
        expected = f"at most {RATIO} times, or {EXPANDED / 2**20:,.0f} MiB"
        raise DataError(path, observed, expected, _TRUSTED)


def _sums(files: Sequence[ZipInfo]) -> tuple[int, int]:
    """Return the packed and the expanded bytes of all files."""
    return sum(info.compress_size for info in files), sum(info.file_size for info in files)


def _fault(info: ZipInfo, target: PurePosixPath) -> str:
    """Return the reason why a member must not be unpacked to a path; empty if it may."""
    name = PurePosixPath(info.filename)
    if info.flag_bits & ENCRYPTED:
        return "an encrypted file"
    if info.compress_type not in METHODS:
        return f"a file packed by method {info.compress_type} instead of deflate or bzip2"
    # The upper 16 bits hold the Unix mode; 0 where the archive comes from another system.
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or a device"
    if name.is_absolute() or ".." in name.parts or re.search(r"^[A-Za-z]:|\\", info.filename):
        return "a path that leads out of the folder"
    if not info.filename.isprintable() or _is_too_long(target):
        return "a name that file systems do not allow"
    return "no name of a file" if not name.parts or target.parts[0].casefold() == MARKS else ""


def _is_too_long(path: PurePosixPath) -> bool:
    lengths = [len(part.encode(errors="replace")) for part in path.parts]
    return max(lengths, default=0) > LONGEST_NAME or sum(lengths) > LONGEST_PATH
