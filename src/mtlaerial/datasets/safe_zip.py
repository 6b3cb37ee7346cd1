"""Untrusted zip archives: clear errors, and no links, encrypted files or paths outside the target folder."""

import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from mtlaerial.errors import DataError

MARKS = ".unpacked"
"""The folder below the data root with the marks of unpacked archives; no archive may write there."""
ENCRYPTED = 0x1
"""Bit 0 of a member's general-purpose flags."""


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Open a zip archive for reading.

    Raises
    ------
    DataError
        When it is not a zip archive, truncated or damaged; also when reading fails within the block.
    """
    try:
        with ZipFile(path) as source:
            yield source
    except UnicodeDecodeError:
        remedy = "Unpack it yourself, and take it away."
        raise DataError(
            path, "names of files that are not the UTF-8 that they are marked as", "names in UTF-8", remedy
        ) from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
        remedy = "It is cut off, damaged, or something else: get it anew."
        raise DataError(path, " ".join(str(error).split()), "a zip archive", remedy) from None


def safe_entries(source: ZipFile, path: Path, into: str) -> dict[str, ZipInfo]:
    """Return the files in an archive by path below the data root.

    Raises
    ------
    DataError
        When a file is encrypted, is a link, would be written outside the root, or occurs twice.
    """
    entries: dict[str, ZipInfo] = {}
    files = [info for info in source.infolist() if not info.is_dir()]
    # Case-folded, as some file systems ignore case. Folders are included, so that no file takes the path of one.
    taken = {str(parent).casefold() for info in files for parent in PurePosixPath(into, info.filename).parents}
    for info in files:
        name = PurePosixPath(into, info.filename)
        fault = _fault(info) or ("a second file of its name" if str(name).casefold() in taken else "")
        if fault:
            remedy = "Unpack it yourself if you trust it, and take it away."
            raise DataError(path, f"{info.filename!r}, {fault}", "plain files in folders of their own", remedy)
        taken.add(str(name).casefold())
        entries[str(name)] = info
    return entries


def _fault(info: ZipInfo) -> str:
    """Return the reason why a member must not be unpacked; empty if it may."""
    name = PurePosixPath(info.filename)
    if info.flag_bits & ENCRYPTED:
        return "an encrypted file"
    # The upper 16 bits hold the Unix mode; 0 where the archive comes from another system.
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link or a device"
    if name.is_absolute() or ".." in name.parts or re.search(r"^[A-Za-z]:|\\", info.filename):
        return "a path that leads out of the folder"
    return "no name of a file" if name.parts[:1] in ((), (MARKS,)) else ""
