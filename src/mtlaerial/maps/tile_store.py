"""Tiles that blocks have filled in part, in memory of a bounded size; the others wait in an unnamed file."""

import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int, int]
"""Level, row and column of a tile."""


class PartialTile(NamedTuple):
    """A tile's values, shape (bands, rows, columns), and the number of its pixels that no block has filled yet."""

    values: NDArray[Any]
    missing: int


class TileStore:
    """Partly filled tiles by place.

    Blocks of columns run from north to south one after the other, so the tiles on their borders wait for the next one,
    as many as the raster is tall: beyond a limit, those untouched for longest are moved to a file.

    Parameters
    ----------
    folder : Path
        The folder of the file, which the system frees even when the process is killed.
    slot_bytes : int
        Bytes of the largest tile.
    limit : int
        Bytes of tiles in memory; one tile is kept in any case.
    """

    def __init__(self, folder: Path, slot_bytes: int, limit: int) -> None:
        self._in_memory: OrderedDict[Place, PartialTile] = OrderedDict()
        self._slots: dict[Place, tuple[int, tuple[int, ...], np.dtype[Any], int]] = {}
        self._free: list[int] = []
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # closed by `close`
        self._slot_bytes, self._most = slot_bytes, max(1, limit // slot_bytes)

    def __len__(self) -> int:
        return len(self._in_memory) + len(self._slots)

    def close(self) -> None:
        """Free the file."""
        self._file.close()

    def put(self, place: Place, tile: PartialTile) -> None:
        """Keep a tile."""
        self._in_memory[place] = tile
        if len(self._in_memory) > self._most:
            self._move_to_file(*self._in_memory.popitem(last=False))

    def take(self, place: Place) -> PartialTile | None:
        """Remove and return a tile; None where nothing has been filled."""
        if place in self._in_memory:
            return self._in_memory.pop(place)
        if place not in self._slots:
            return None
        slot, shape, dtype, missing = self._slots.pop(place)
        values = np.empty(shape, dtype)
        self._file.seek(slot * self._slot_bytes)
        if self._file.readinto(values.data) < values.nbytes:
            raise OSError("a temporary file that has been truncated")
        self._free.append(slot)
        return PartialTile(values, missing)

    def _move_to_file(self, place: Place, tile: PartialTile) -> None:
        slot = self._free.pop() if self._free else len(self._slots)
        self._file.seek(slot * self._slot_bytes)
        self._file.write(tile.values.data)
        self._slots[place] = slot, tile.values.shape, tile.values.dtype, tile.missing
