"""Targets of blended values: grids whose cells are written once all their pixels are finished."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlaerial.prediction.blending.regrid import Cells


@dataclass(frozen=True)
class Finished:
    """A rectangle of finished values, and the pixels before it that incomplete cells still need.

    Attributes
    ----------
    values : Tensor, shape (channels, rows, columns), float32
        NaN where the image has no data.
    top, left : int
        Row and column of the first value in the image.
    rows, columns : tuple of int
        Range of the pixels that are newly finished: the first, and one past the last.
    """

    values: Tensor
    top: int
    left: int
    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Target:
    """A grid, the channels it shows, and the function that writes a block of its cells.

    Attributes
    ----------
    channels : slice or list of int
        Channels of the network's output.
    rows, columns : Cells
        The grid's cells.
    write : callable
        Takes the first row and column of a block of cells, and its values (channels, rows, columns): means over the
        pixels with data, NaN for cells without any; of listed channels each over its own. Blocks come from north to
        south, column by column of blocks.
    """

    channels: slice | list[int]
    rows: Cells
    columns: Cells
    write: Callable[[int, int, Tensor], None]

    def take(self, finished: Finished) -> None:
        """Write the cells whose last pixels are newly finished."""
        rows, columns = self.rows.completed(*finished.rows), self.columns.completed(*finished.columns)
        if rows[0] == rows[1] or columns[0] == columns[1]:
            return
        values = finished.values[self.channels]
        # No-data is NaN in all channels alike, but a variance may be unknown where its value is not.
        valid = ~torch.isnan(values if isinstance(self.channels, list) else values[:1])

        def mean(pixels: Tensor) -> Tensor:
            return self.columns.mean(self.rows.mean(pixels, 1, rows, finished.top), 2, columns, finished.left)

        # Over partly valid cells: sum(value) / sum(valid). The pixels per cell cancel, and 0 / 0 is NaN, no data.
        block = mean(values) if bool(valid.all()) else mean(values.where(valid, 0)) / mean(valid.float())
        self.write(rows[0], columns[0], block)
