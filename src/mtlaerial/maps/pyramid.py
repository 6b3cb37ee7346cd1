"""Pyramid of a layer: tiles of all levels, each made once from blocks that arrive while the network runs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.maps.layer import TILE, RasterLayer
from mtlaerial.maps.overviews import halved, level_sizes
from mtlaerial.maps.tile_store import PartialTile, TileStore

Deliver = Callable[[int, int, int, NDArray[Any]], None]
"""Takes level, first row and first column of a complete tile, and its values (bands, rows, columns)."""
LIMIT = 64 * 2**20
"""Bytes of incomplete tiles in memory: more than a row of tiles of a block of columns on the CPU."""


class Pyramid:
    """Tiles of a raster and its overviews, made complete from blocks of any place and size.

    A complete tile is delivered, and its overview fills a quarter of a tile of the next level: pixels are read once.
    Blocks that leave out pixels, or overlap, end the ``with`` block with a ``RuntimeError``.

    Parameters
    ----------
    layer : RasterLayer
    height, width : int
        Size of the raster in pixels.
    deliver : Deliver
    scratch : Path
        Folder for incomplete tiles beyond ``limit`` bytes.
    limit : int
    """

    def __init__(
        self, layer: RasterLayer, height: int, width: int, deliver: Deliver, scratch: Path, limit: int = LIMIT
    ) -> None:
        self.sizes = level_sizes(height, width)
        self._layer, self._deliver, self._complete = layer, deliver, False
        self._store = TileStore(scratch, TILE**2 * len(layer.bands) * np.dtype(layer.dtype).itemsize, limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        incomplete = len(self._store)
        self._store.close()
        if error is None and (incomplete or not self._complete):
            self._refuse("leave out pixels")

    def _refuse(self, fault: str) -> NoReturn:
        raise RuntimeError(f"layer {self._layer.name}: blocks {fault}")

    def add(self, row: int, column: int, block: NDArray[Any], level: int = 0) -> None:
        """Fill in a block of stored values, shape (bands, rows, columns); no pixel may be filled twice."""
        rows, columns = block.shape[1:]
        for top in _tile_starts(row, rows):
            for left in _tile_starts(column, columns):
                inside = (
                    slice(max(top - row, 0), top + TILE - row),
                    slice(max(left - column, 0), left + TILE - column),
                )
                self._fill(level, top, left, max(row - top, 0), max(column - left, 0), block[:, *inside])

    def _fill(self, level: int, top: int, left: int, row: int, column: int, part: NDArray[Any]) -> None:
        """Fill a part of the tile that begins at ``top`` and ``left``, from a row and column in it."""
        place, pixels = (level, top // TILE, left // TILE), part[0].size
        height, width = self.sizes[level]
        shape = len(part), min(TILE, height - top), min(TILE, width - left)
        tile = self._store.take(place) or PartialTile(np.empty(shape, part.dtype), shape[1] * shape[2])
        tile.values[:, row : row + part.shape[1], column : column + part.shape[2]] = part
        if tile.missing < pixels:
            self._refuse("overlap")
        if tile.missing > pixels:
            self._store.put(place, PartialTile(tile.values, tile.missing - pixels))
            return
        self._deliver(level, top, left, tile.values)
        if level + 1 < len(self.sizes):
            self.add(top // 2, left // 2, halved(tile.values, self._layer), level + 1)
        else:
            self._complete = True  # the last level is one tile, of which every pixel has been filled


def _tile_starts(first: int, length: int) -> Iterator[int]:
    """Yield the first pixels of the tiles that a range of pixels touches."""
    yield from range(first // TILE * TILE, first + length, TILE)
