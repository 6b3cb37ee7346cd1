"""Blocks of a tile: a grid of rectangles over its image, on the cells of a layer of truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED
from mtlaerial.config.task_entry import Truth
from mtlaerial.rasters.geotiff import map_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_cell_area

Edges = NDArray[np.int64]
"""First cell of each block along an axis, and the number of cells."""


def has_truth(layer: Truth, values: NDArray[Any], zero_height: bool = True) -> NDArray[np.bool_]:
    """Return which cells of a layer have truth that is trained on.

    Parameters
    ----------
    layer : Truth
    values : array
    zero_height : bool
        Whether heights <= 0 are trained on.
    """
    if layer == "labels":
        return np.asarray(values != IGNORED)
    return np.isfinite(values) if zero_height else np.asarray(values > 0)


@dataclass(frozen=True)
class LayerBlocks:
    """Blocks of a tile on a layer of truth; those that are narrower than a cell may have none.

    Attributes
    ----------
    values : array, shape (rows, columns)
        The layer, memory-mapped.
    rows, columns : Edges
    cell_area : float
        Square metres.
    """

    values: NDArray[Any]
    rows: Edges
    columns: Edges
    cell_area: float

    @classmethod
    def of(cls, folder: Path, layer: Truth, block: int) -> "LayerBlocks":
        """Return the blocks of a prepared tile.

        Parameters
        ----------
        folder : Path
        layer : Truth
        block : int
            Side of a block in image pixels; all of a tile have nearly the same size.
        """
        with open_raster(folder / "image.tif") as image, open_raster(folder / f"{layer}.tif") as truth:
            pixels, cells = Grid.of(image), Grid.of(truth)
        to_cells = pixels.to(cells)
        rows = _edges(pixels.height, block, to_cells.e, to_cells.f, cells.height)
        columns = _edges(pixels.width, block, to_cells.a, to_cells.c, cells.width)
        return cls(map_raster(folder / f"{layer}.tif"), rows, columns, ground_cell_area(cells))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return len(self.rows) - 1, len(self.columns) - 1

    def count(self, layer: Truth, zero_height: bool) -> NDArray[np.int64]:
        """Return the cells with truth of each block, in the order of rows."""
        counts = np.zeros(self.shape, dtype=np.int64)
        for index, (top, bottom) in enumerate(zip(self.rows[:-1], self.rows[1:], strict=True)):
            per_column = has_truth(layer, self.values[top:bottom], zero_height).sum(axis=0)
            up_to = np.concatenate([[0], per_column.cumsum()])
            counts[index] = np.diff(up_to[self.columns])
        return counts.ravel()

    def copy_chosen(self, target: NDArray[Any], chosen: NDArray[np.bool_], absent: float) -> None:
        """Copy the cells of chosen blocks, shape (rows, columns) of blocks; write ``absent`` into all others."""
        widths = np.diff(self.columns)
        for row, (top, bottom) in zip(chosen, zip(self.rows[:-1], self.rows[1:], strict=True), strict=True):
            target[top:bottom] = np.where(np.repeat(row, widths), self.values[top:bottom], absent)


def _edges(pixels: int, block: int, scale: float, offset: float, cells: int) -> Edges:
    """Return the edges of the blocks along an axis of an image, in cells: a cell is of the block with its centre."""
    number = max(1, round(pixels / block))
    edges = np.rint(np.linspace(0, pixels, number + 1))
    # 1e-6: a centre on the edge between two pixels, whatever the rounding.
    first = np.ceil(edges * scale + offset - 0.5 - 1e-6).astype(np.int64).clip(0, cells)
    first[0], first[-1] = 0, cells
    return first
