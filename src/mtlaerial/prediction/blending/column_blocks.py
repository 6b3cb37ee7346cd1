"""Column blocks: parts of a wide raster that are predicted one after the other, and the values they hand on.

A row of windows over the whole width would need memory in proportion to the width; a block bounds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.blending.windows import Axis


@dataclass(frozen=True)
class Block:
    """Neighbouring windows of a row of windows.

    Attributes
    ----------
    windows : range
        Their indices along the axis.
    left, right : int
        Range of its columns in the image: from the first that the block before hands on to the end of its last window.
    inherited : int
        Number of its first columns whose values the block before hands on.
    handed_on : int
        First column, counted from ``left``, whose values it hands on to the next block.
    columns : tuple of int
        Range of the columns that it finishes.
    """

    windows: range
    left: int
    right: int
    inherited: int
    handed_on: int
    columns: tuple[int, int]


def column_blocks(across: Axis, targets: Sequence[Target], pixels: int, context: int = 1) -> list[Block]:
    """Divide a row of windows into blocks of at most the given number of columns, or of one window each.

    With a ``context`` above 1, blocks hold as many columns more: which windows a block has must not depend on it, as
    the last bits of a network's outputs depend on the windows that it gets at once.
    """
    blocks: list[Block] = []
    first = done = left = inherited = counted_from = 0
    for index in range(len(across.starts)):
        if index + 1 == len(across.starts) or across.stop(index + 1) - counted_from > pixels:
            end, right = across.done(index), across.stop(index)
            needed = [target.columns.needed(end) for target in targets]
            next_left, counted_from = first_needed(needed, end, context), first_needed(needed, end)
            blocks.append(Block(range(first, index + 1), left, right, inherited, next_left - left, (done, end)))
            first, done, inherited, left = index + 1, end, right - next_left, next_left
    return blocks


def first_needed(pixels: Sequence[int], done: int, context: int = 1) -> int:
    """Return the first row or column to keep once those before ``done`` are finished.

    Incomplete cells need the given pixels, and meters the last ``context`` finished ones.
    """
    return min([max(done - context, 0), *pixels])


class BorderFile:
    """Values at the right border of blocks, on disk until the next block loads them.

    A block runs over all rows of windows before the next one begins, so its border is as tall as the raster: on disk,
    memory does not grow with the height, and no window on the border is run twice.

    Parameters
    ----------
    file : BinaryIO
        An unnamed file, which the system frees even when the process is killed; a block's values replace those of the
        block before.
    channels, rows : int
        Shape of a row of windows.
    blocks : sequence of Block
    """

    def __init__(self, file: BinaryIO, channels: int, rows: int, blocks: Sequence[Block]) -> None:
        self._file = file
        # One slot per row of windows, wide enough for any border: block n + 1 loads row i before it saves row i.
        self._row_bytes = 4 * channels * rows * max(block.inherited for block in blocks)

    def save(self, index: int, values: Tensor) -> None:
        """Write the values of a row of windows, shape (channels, rows, columns)."""
        self._file.seek(index * self._row_bytes)
        self._file.write(values.cpu().contiguous().numpy().data)

    def load(self, index: int, values: Tensor) -> None:
        """Read the values that the block before saved for a row of windows into ``values``."""
        stored = torch.empty(values.shape)
        self._file.seek(index * self._row_bytes)
        self._file.readinto(stored.numpy().data)  # type: ignore[attr-defined]  # a buffered file has it
        values.copy_(stored)
