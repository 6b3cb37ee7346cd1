"""Blocks of a raster's window that may extend beyond the raster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.validity import MaskedBands


@dataclass(frozen=True)
class Block:
    """A block of rows of a layer's window.

    Attributes
    ----------
    top : int
        First row of the block in the window.
    raw : array, shape (bands, rows, columns)
    invalid : array of bool, shape (rows, columns), or None
        Mask of cells outside the file, or no data by its mask; None if there are none.
    """

    top: int
    raw: NDArray[Any]
    invalid: NDArray[np.bool_] | None


def padded_blocks(path: Path, bands: Sequence[int], row: int, column: int, grid: Grid) -> Iterator[Block]:
    """Yield a window of bands of a file in blocks of rows; cells outside the file are 0 and invalid."""
    with open_raster(path) as source:
        reader = MaskedBands(source, bands)
        for top, rows in row_blocks(grid.height):
            yield Block(top, *_read_padded(reader, row + top, column, rows, grid.width))


def _read_padded(
    bands: MaskedBands, row: int, column: int, rows: int, columns: int
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read a window that may extend beyond the file; return its values, and the mask of invalid cells if any are."""
    source = bands.source
    first, last = max(row, 0), min(row + rows, source.height)
    left, right = max(column, 0), min(column + columns, source.width)
    if last <= first or right <= left:
        values = np.zeros((len(bands.bands), rows, columns), source.dtypes[0])
        return values, np.ones((rows, columns), np.bool_)
    values, invalid = bands.read(((first, last), (left, right)))
    margins = ((first - row, row + rows - last), (left - column, column + columns - right))
    if not any(map(any, margins)):
        return values, invalid
    inside = np.zeros(values.shape[1:], np.bool_) if invalid is None else invalid
    return np.pad(values, ((0, 0), *margins)), np.pad(inside, margins, constant_values=True)
