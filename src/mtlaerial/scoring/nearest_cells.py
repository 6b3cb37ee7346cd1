"""Nearest-neighbour look-up between the grids of a tile's layers."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.rasters.grid import Grid


class NearestCells:
    """Cells of one grid that hold the centres of another grid's cells.

    Parameters
    ----------
    source : Grid
        The grid whose cells are looked up.
    target : Grid
        The grid of the centres, in the same CRS.
    """

    def __init__(self, source: Grid, target: Grid) -> None:
        # Grids are not rotated, so that rows and columns map separately: no index array of the tile's size.
        mapping = target.to(source)
        self.rows = np.floor((np.arange(target.height) + 0.5) * mapping.e + mapping.f).astype(np.int64)
        self.columns = np.floor((np.arange(target.width) + 0.5) * mapping.a + mapping.c).astype(np.int64)
        self._size = source.height, source.width

    def window(self, top: int, rows: int) -> tuple[int, int]:
        """Return the first row of the source that some rows of the target need, and the number of such rows."""
        needed = self.rows[top : top + rows].clip(0, self._size[0] - 1)
        first = int(needed.min())
        return first, int(needed.max()) - first + 1

    def take(self, block: NDArray[np.generic], top: int, rows: int, outside: float) -> NDArray[np.generic]:
        """Return the source's values at some rows of the target.

        Parameters
        ----------
        block : array, shape (rows of the source, columns)
            The rows of the source that :meth:`window` names.
        top, rows : int
            First row of the target, and number of its rows.
        outside : float
            Value where the centre lies outside the source.

        Returns
        -------
        array, shape (rows, columns of the target)
        """
        first, _ = self.window(top, rows)
        row, column = self.rows[top : top + rows], self.columns
        height, width = self._size
        inside = _within(row, height)[:, None] & _within(column, width)
        y, x = row.clip(0, height - 1) - first, column.clip(0, width - 1)
        return np.where(inside, block[y[:, None], x], outside)


def _within(index: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    return (index >= 0) & (index < length)
