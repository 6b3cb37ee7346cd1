"""Calibration cells: square parts of a tile, which a calibration counts as one observation each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 60.0
"""Metres of a cell's side, unless the residuals' correlation length asks for more."""


@dataclass(frozen=True)
class CellGrid:
    """Calibration cells of a tile.

    Attributes
    ----------
    row_cells, column_cells : array of int64
        Row of cells of each row of pixels, and column of cells of each column of pixels.
    side : float
        Metres of the shorter side of the cells: less than asked for where the tile is shorter.
    """

    row_cells: NDArray[np.int64]
    column_cells: NDArray[np.int64]
    side: float

    @property
    def across(self) -> int:
        """Number of cells from west to east."""
        return int(self.column_cells[-1]) + 1

    @property
    def number(self) -> int:
        """Number of cells."""
        return (int(self.row_cells[-1]) + 1) * self.across

    def indices(self, top: int, rows: int) -> NDArray[np.int64]:
        """Return the cell of each pixel of some rows, 0 … number - 1, shape (rows, columns)."""
        return self.row_cells[top : top + rows, None] * self.across + self.column_cells


def calibration_cells(height: int, width: int, pixel_size: tuple[float, float], side: float = SIDE) -> CellGrid:
    """Divide a tile into cells of equal size whose sides are at least as long as asked for.

    A tile that is shorter than a side has one cell in that direction.

    Parameters
    ----------
    height, width : int
        Size of the tile in pixels.
    pixel_size : tuple of float
        Height and width of a pixel in metres on the ground.
    side : float
        Least side of a cell in metres.

    Examples
    --------
    >>> calibration_cells(400, 250, (0.5, 0.5)).number
    6
    """
    rows, columns = (_cells_along(pixels, size, side) for pixels, size in zip((height, width), pixel_size, strict=True))
    sides = height * pixel_size[0] / (rows[-1] + 1), width * pixel_size[1] / (columns[-1] + 1)
    return CellGrid(rows, columns, float(min(sides)))


def _cells_along(pixels: int, pixel_size: float, side: float) -> NDArray[np.int64]:
    # Rounding of the pixel size must not cost a cell: 200 pixels of 0.3 m are 60 m.
    number = max(1, int(pixels * pixel_size / side + 1e-6))
    return np.arange(pixels, dtype=np.int64) * number // pixels
