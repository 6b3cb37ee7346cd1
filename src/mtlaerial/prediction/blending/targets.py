"""Where blended values go: to the cells of a grid, once all their pixels are finished."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlaerial.prediction.blending.regrid import Cells


@dataclass(frozen=True)
class Finished:
    """A rectangle of blended values, final but for what lies beyond ``rows`` and ``columns``.

    Attributes
    ----------
    values : Tensor, shape (channels, rows, columns), float32
        NaN where the image has no data.
    top, left : int
        Place of the first value in the image.
    rows, columns : tuple of int
        First pixel that was not finished before, and the one after the last that is now.
    """

    values: Tensor
    top: int
    left: int
    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Target:
    """A grid of its own, and what to do with a block of its cells.

    Attributes
    ----------
    channels : slice
        Channels of the network's output that it takes.
    rows, columns : Cells
        Its cells.
    write : callable
        Gets the first row and column of a block of cells, and its values (channels, rows, columns): means over the
        pixels with data, NaN for cells that have none. Blocks come from north to south, column by column of blocks.
    """

    channels: slice
    rows: Cells
    columns: Cells
    write: Callable[[int, int, Tensor], None]

    def take(self, finished: Finished) -> None:
        """Write the cells whose last pixels are finished now."""
        rows, columns = self.rows.completed(*finished.rows), self.columns.completed(*finished.columns)
        if rows[0] == rows[1] or columns[0] == columns[1]:
            return
        values = finished.values[self.channels]
        known = ~torch.isnan(values[:1])

        def mean(pixels: Tensor) -> Tensor:
            return self.columns.mean(self.rows.mean(pixels, 1, rows, finished.top), 2, columns, finished.left)

        block = mean(values) if bool(known.all()) else mean(values.where(known, 0)) / mean(known.float())
        self.write(rows[0], columns[0], block)
