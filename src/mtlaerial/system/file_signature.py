"""Kinds of files by their first bytes, so that a file of another kind is named as what it is."""

import re
from pathlib import Path

_LENGTH = 512
_SIGNATURES: tuple[tuple[str, bytes], ...] = (
    ("an empty file", rb"\Z"),
    ("a web page instead of the file", rb"(?i)\s*(<!doctype html|<html|<head)"),
    ("an XML file", rb"\s*<\?xml"),
    ("a pointer of Git LFS instead of the file", rb"version https://git-lfs"),
    ("a GeoTIFF or other TIFF", rb"II\*\0|MM\0\*|II\+\0|MM\0\+"),
    ("a picture", rb"\x89PNG|\xff\xd8\xff|GIF8"),
    ("a PDF", rb"%PDF"),
    ("an HDF5 file, as Keras saves", rb"\x89HDF"),
    ("a safetensors file", rb"(?s).{6}\0\0\{"),
    ("a gzip archive", rb"\x1f\x8b"),
    ("an xz archive", rb"\xfd7zXZ"),
    ("a 7-Zip archive", rb"7z\xbc\xaf"),
    ("a tar archive", rb"(?s).{257}ustar"),
    ("an empty zip archive", rb"PK\x05\x06"),
)
"""Names of kinds, and regular expressions of how their files begin."""


def other_kind(path: Path) -> str:
    """Return what a file is by its first bytes, as a noun phrase; empty if it is none of the kinds known here.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_LENGTH)
    kinds = (name for name, pattern in _SIGNATURES if re.match(pattern, head))
    return next(kinds, "")
