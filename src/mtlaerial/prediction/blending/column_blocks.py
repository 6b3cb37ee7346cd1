"""Blocks of columns that a wide raster is worked through in, and what one leaves to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import torch
from torch import Tensor

from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.blending.windows import Axis


@dataclass(frozen=True)
class Block:
    """Some neighbouring windows of a row.

    Attributes
    ----------
    windows : range
        Their indices along the axis.
    left, right : int
        Columns of the image that it holds: from what cells need of the block before to the end of its last window.
    taken : int
        The first so many of them hold values of the block before already.
    kept : int
        First column whose values the next block needs, from ``left``.
    columns : tuple of int
        Columns that it finishes.
    """

    windows: range
    left: int
    right: int
    taken: int
    kept: int
    columns: tuple[int, int]


def cut(across: Axis, targets: Sequence[Target], pixels: int) -> list[Block]:
    """Cut a row of windows into blocks of at most so many columns, or of one window each."""
    blocks: list[Block] = []
    first = done = left = taken = 0
    for index in range(len(across.starts)):
        if index + 1 == len(across.starts) or across.stop(index + 1) - left > pixels:
            end, right = across.done(index), across.stop(index)
            following = still_needed([target.columns.needed(end) for target in targets], end)
            blocks.append(Block(range(first, index + 1), left, right, taken, following - left, (done, end)))
            first, done, taken, left = index + 1, end, right - following, following
    return blocks


def still_needed(pixels: Sequence[int], done: int) -> int:
    """Return the first finished row or column to keep: what cells need, and the last, to see it beside the next."""
    return min([done - 1, *pixels])


class Border:
    """Values that blocks have at their right edge, row by row of windows, until the next block takes them.

    Parameters
    ----------
    file : BinaryIO
        Where they wait; a block's values replace those of the block before.
    channels, rows : int
        Of a row of windows.
    blocks : sequence of Block
    """

    def __init__(self, file: BinaryIO, channels: int, rows: int, blocks: Sequence[Block]) -> None:
        self._file = file
        self._row_bytes = 4 * channels * rows * max(block.taken for block in blocks)

    def save(self, index: int, values: Tensor) -> None:
        """Keep the values of a row, shape (channels, rows, columns)."""
        self._file.seek(index * self._row_bytes)
        self._file.write(values.cpu().contiguous().numpy().data)

    def load(self, index: int, values: Tensor) -> None:
        """Fill in the values of a row that the block before left."""
        kept = torch.empty(values.shape)
        self._file.seek(index * self._row_bytes)
        self._file.readinto(kept.numpy().data)  # type: ignore[attr-defined]  # a buffered file has it
        values.copy_(kept)
