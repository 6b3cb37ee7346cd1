"""Blocks of a raster's window that may extend beyond the raster."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid


@dataclass(frozen=True)
class Block:
    """A block of rows of a layer's window.

    Attributes
    ----------
    top : int
        First row of the block in the window.
    raw : array, shape (bands, rows, columns)
    outside : array of bool, shape (rows, columns), or None
        Mask of cells outside the file; None if all are inside.
    nodata : float or None
        No-data tag of the file.
    """

    top: int
    raw: NDArray[Any]
    outside: NDArray[np.bool_] | None
    nodata: float | None


def padded_blocks(path: Path, row: int, column: int, grid: Grid) -> Iterator[Block]:
    """Yield a window of a file in blocks of rows; cells outside the file are 0."""
    with open_raster(path) as source:
        for top, rows in row_blocks(grid.height):
            yield Block(top, *_read_padded(source, row + top, column, rows, grid.width), source.nodata)


def _read_padded(
    source: rasterio.DatasetReader, row: int, column: int, rows: int, columns: int
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read a window that may extend beyond the file; return its values, and the mask of cells outside if any are."""
    first, last = max(row, 0), min(row + rows, source.height)
    left, right = max(column, 0), min(column + columns, source.width)
    if last <= first or right <= left:
        return np.zeros((source.count, rows, columns), source.dtypes[0]), np.ones((rows, columns), np.bool_)
    raw = source.read(window=((first, last), (left, right)))
    margins = ((first - row, row + rows - last), (left - column, column + columns - right))
    if not any(map(any, margins)):
        return raw, None
    outside = np.pad(np.zeros(raw.shape[1:], np.bool_), margins, constant_values=True)
    return np.pad(raw, ((0, 0), *margins)), outside
