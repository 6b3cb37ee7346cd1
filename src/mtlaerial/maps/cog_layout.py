"""Layout of cloud-optimised GeoTIFFs: from tiled GeoTIFFs, one per level, by moving compressed tiles.

The result is that of GDAL's COG driver (https://gdal.org/en/stable/drivers/raster/cog.html): all directories at the
beginning, then the tiles from the smallest overview to full resolution, row by row, each between its size and a copy of
its last bytes. The driver itself only copies complete rasters: it decodes and compresses every pixel again.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mtlaerial.maps.tiff_directory import (
    BIG,
    CLASSIC,
    LONG,
    LONG8,
    SUBFILE_TYPE,
    TILE_BYTE_COUNTS,
    TILE_OFFSETS,
    Field,
    Form,
    read_directory,
)

_LINES = """LAYOUT=IFDS_BEFORE_DATA
BLOCK_ORDER=ROW_MAJOR
BLOCK_LEADER=SIZE_AS_UINT4
BLOCK_TRAILER=LAST_4_BYTES_REPEATED
KNOWN_INCOMPATIBLE_EDITION=NO
 """
"""Promises to readers; GDAL overwrites the last line, by one letter more, where it edits such a file."""
_PROMISES = f"GDAL_STRUCTURAL_METADATA_SIZE={len(_LINES):06d} bytes\n{_LINES}".encode()
_AROUND = 4
"""Bytes before and behind each tile."""
_LARGEST_CLASSIC = 2**32 - 1
"""Bytes of a file whose offsets fit into 32 bits."""


@dataclass(frozen=True)
class _Level:
    """A level's file, the fields of its directory, and places and sizes of its tiles in bytes."""

    file: BinaryIO
    fields: dict[int, Field]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def stored(self) -> int:
        """Bytes of the level's tiles with what stands around them."""
        return int(self.sizes.sum()) + 2 * _AROUND * len(self.sizes)


def write_cog(levels: Sequence[Path], target: Path) -> None:
    """Write a COG of a tiled BigTIFF in full resolution and those of its overviews, in descending size.

    Raises
    ------
    OSError
        When the disk is full, or a level's file lacks a tile, as it does where the disk was full.
    """
    with ExitStack() as stack:
        parts = [_read_level(stack.enter_context(path.open("rb")), index > 0) for index, path in enumerate(levels)]
        with target.open("wb") as out:
            _write(parts, out)


def _read_level(file: BinaryIO, reduced: bool) -> _Level:
    end = file.seek(0, 2)
    file.seek(0)
    try:
        fields = read_directory(file)
        offsets, sizes = fields[TILE_OFFSETS].numbers, fields[TILE_BYTE_COUNTS].numbers
    except (ValueError, KeyError):
        raise _incomplete() from None
    if (sizes == 0).any() or (offsets + sizes > end).any():
        raise _incomplete()
    if reduced:
        fields[SUBFILE_TYPE] = Field.of(SUBFILE_TYPE, np.array([1]), LONG)
    return _Level(file, fields, offsets, sizes)


def _incomplete() -> OSError:
    # GDAL compresses in threads and only logs a full disk when it closes a file.
    return OSError("an incomplete file, as on a full disk")


def _write(levels: Sequence[_Level], out: BinaryIO) -> None:
    form = CLASSIC
    if _begin(form) + sum(level.stored + _directory_size(level, form) for level in levels) > _LARGEST_CLASSIC:
        form = BIG
    begin, sizes = _begin(form), [_directory_size(level, form) for level in levels]
    places = [begin + sum(sizes[:index]) for index in range(len(levels))]
    data = begin + sum(sizes)
    directories = b""
    moved: list[_Level] = []
    for level in reversed(levels):
        steps = np.concatenate([[0], np.cumsum(level.sizes + 2 * _AROUND)])
        moved.insert(0, replace(level, offsets=data + _AROUND + steps[:-1]))
        data += int(steps[-1])
    for level, place, following in zip(moved, places, [*places[1:], 0], strict=True):
        directories += form.packed(_with_offsets(level, form, level.offsets), place, following)
    out.write((form.start(begin) + _PROMISES).ljust(begin, b"\0") + directories)
    for level in reversed(levels):
        _copy_tiles(level, out)


def _begin(form: Form) -> int:
    """Return the offset of the first directory, which is even."""
    end = form.header + len(_PROMISES)
    return end + end % 2


def _directory_size(level: _Level, form: Form) -> int:
    """Return the bytes of a level's directory, which do not depend on the offsets in it."""
    return form.size(_with_offsets(level, form, np.zeros_like(level.offsets)))


def _with_offsets(level: _Level, form: Form, offsets: NDArray[np.int64]) -> list[Field]:
    """Return the fields of a level whose tiles lie at other offsets."""
    places = Field.of(TILE_OFFSETS, offsets, LONG if form == CLASSIC else LONG8)
    sizes = Field.of(TILE_BYTE_COUNTS, level.sizes, LONG)
    return list({**level.fields, TILE_OFFSETS: places, TILE_BYTE_COUNTS: sizes}.values())


def _copy_tiles(level: _Level, out: BinaryIO) -> None:
    for offset, size in zip(level.offsets.tolist(), level.sizes.tolist(), strict=True):
        level.file.seek(offset)
        content = level.file.read(size)
        # The last bytes tell a reader of this order that the tile was not rewritten elsewhere.
        out.write(size.to_bytes(_AROUND, "little") + content + content[-_AROUND:].rjust(_AROUND, b"\0"))
