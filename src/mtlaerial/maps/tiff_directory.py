"""Image file directories of TIFFs: fields as bytes, to be read from BigTIFFs and written in either form.

TIFF 6.0, section 2; BigTIFF (https://libtiff.gitlab.io/libtiff/specification/bigtiff.html). Little-endian only: the
files are GDAL's, written by us.
"""

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

SUBFILE_TYPE, TILE_OFFSETS, TILE_BYTE_COUNTS = 254, 324, 325
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8, 18: 8}
"""Bytes of a value of each type of fields."""
_WHOLE = {3: "<u2", 4: "<u4", 16: "<u8"}
LONG, LONG8 = 4, 16


@dataclass(frozen=True)
class Field:
    """A field of a directory: tag, type, number of values, and the values as bytes."""

    tag: int
    type: int
    count: int
    raw: bytes

    @classmethod
    def of(cls, tag: int, values: NDArray[Any], type: int) -> "Field":
        """Return a field of whole numbers."""
        return cls(tag, type, len(values), values.astype(_WHOLE[type]).tobytes())

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The values of a field of whole numbers."""
        return np.frombuffer(self.raw, _WHOLE[self.type]).astype(np.int64)


@dataclass(frozen=True)
class Form:
    """The form of a TIFF: classic, or BigTIFF.

    Attributes
    ----------
    header : int
        Bytes of the file's header.
    offset, count, number : str
        Formats of ``struct`` for offsets, for counts of values, and for the number of a directory's fields.
    """

    header: int
    offset: str
    count: str
    number: str

    @property
    def inline(self) -> int:
        """Bytes of values that stand in a field itself, in place of their offset."""
        return struct.calcsize(f"<{self.offset}")

    def start(self, first: int) -> bytes:
        """Return the header of a file whose first directory lies at an offset."""
        return (
            struct.pack("<2sHL", b"II", 42, first)
            if self == CLASSIC
            else struct.pack("<2sHHHQ", b"II", 43, 8, 0, first)
        )

    def size(self, fields: list[Field]) -> int:
        """Return the bytes of a directory with all its values."""
        entry = 4 + struct.calcsize(f"<{self.count}") + self.inline
        fixed = struct.calcsize(f"<{self.number}{self.offset}") + entry * len(fields)
        return _even(fixed) + sum(_even(len(field.raw)) for field in fields if len(field.raw) > self.inline)

    def packed(self, fields: list[Field], place: int, following: int) -> bytes:
        """Return a directory that lies at ``place``, with its values; the next one lies at ``following``, or 0."""
        entry = 4 + struct.calcsize(f"<{self.count}") + self.inline
        entries = struct.pack(f"<{self.number}", len(fields))
        values = b""
        begin = place + _even(len(entries) + entry * len(fields) + self.inline)
        for field in sorted(fields, key=lambda field: field.tag):
            content = field.raw
            if len(content) > self.inline:
                content = struct.pack(f"<{self.offset}", begin + len(values))
                values += field.raw.ljust(_even(len(field.raw)), b"\0")
            entries += struct.pack(f"<HH{self.count}", field.tag, field.type, field.count)
            entries += content.ljust(self.inline, b"\0")
        entries += struct.pack(f"<{self.offset}", following)
        return entries.ljust(begin - place, b"\0") + values


CLASSIC = Form(8, "L", "L", "H")
BIG = Form(16, "Q", "Q", "Q")


def read_directory(file: BinaryIO) -> dict[int, Field]:
    """Return the fields of a BigTIFF's first directory by tag.

    Raises
    ------
    ValueError
        When the file is not complete.
    """
    try:
        magic, version, _, _, first = struct.unpack("<2sHHHQ", file.read(BIG.header))
        if (magic, version) != (b"II", 43):
            raise ValueError("no BigTIFF")
        file.seek(first)
        (number,) = struct.unpack("<Q", file.read(8))
        entries = [struct.unpack("<HHQ8s", file.read(20)) for _ in range(number)]
        return {tag: Field(tag, type, count, _raw(file, type, count, inline)) for tag, type, count, inline in entries}
    except (struct.error, KeyError):
        raise ValueError("no complete directory") from None


def _raw(file: BinaryIO, type: int, count: int, inline: bytes) -> bytes:
    size = _SIZES[type] * count
    if size <= len(inline):
        return inline[:size]
    file.seek(struct.unpack("<Q", inline)[0])
    raw = file.read(size)
    if len(raw) < size:
        raise ValueError("no complete directory")
    return raw


def _even(size: int) -> int:
    """Return a size filled up to whole words, on which TIFF wants directories and values to begin."""
    return size + size % 2
