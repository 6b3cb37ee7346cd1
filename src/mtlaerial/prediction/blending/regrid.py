"""Regridding from image pixels to the cells of another grid, one axis at a time and in parts.

A cell at least as large as a pixel is the mean of the pixels whose centres it holds; a smaller one takes the pixel that
holds its centre. Either way a cell needs one range of whole pixels, so a map is made while its image streams by.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.rasters.grid import Grid


@dataclass(frozen=True)
class Cells:
    """The cells along one axis: cell ``i`` needs pixels ``first[i]`` to ``last[i] - 1``; none outside the image."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(cls, scale: float, offset: float, pixels: int, cells: int) -> "Cells":
        """Build from the map cell = scale * pixel + offset between the axes' continuous coordinates.

        Examples
        --------
        >>> cells = Cells.of(scale=0.5, offset=0, pixels=6, cells=3)
        >>> list(zip(cells.first.tolist(), cells.last.tolist()))
        [(0, 2), (2, 4), (4, 6)]
        """
        edges = (np.arange(cells + 1) - offset) / scale
        # 1e-6 of a pixel decides ties however transforms round: a pixel's centre on an edge belongs to the cell after
        # it, a cell's centre on one to the pixel before it.
        if scale <= 1 + 1e-9:
            # By its centre each pixel counts in one cell, with weight 1: sums stream without a row of shares, and where
            # cells are whole numbers of pixels the mean is that by area.
            bounds = np.ceil(edges - 0.5 - 1e-6).astype(np.int64).clip(0, pixels)
            return cls(bounds[:-1], bounds[1:])
        centre = np.floor((edges[:-1] + edges[1:]) / 2 - 1e-6).astype(np.int64)
        first = centre.clip(0, pixels)
        return cls(first, np.where((centre >= 0) & (centre < pixels), first + 1, first))

    def __len__(self) -> int:
        return len(self.first)

    def completed(self, begin: int, end: int) -> tuple[int, int]:
        """Return the range of cells that pixels ``begin`` to ``end - 1`` complete."""
        # From pixel 0 the range begins with cell 0, so that cells before the image, which need no pixel, are written.
        first = self._complete(begin) if begin else 0
        return first, self._complete(end)

    def needed(self, done: int) -> int:
        """Return the first pixel that a cell not complete with those before ``done`` needs; at most ``done``."""
        cell = self._complete(done)
        return min(int(self.first[cell]), done) if cell < len(self) else done

    def _complete(self, pixels: int) -> int:
        """Return the number of cells, from the first, that are complete with the given number of pixels."""
        return int(np.searchsorted(self.last, pixels, side="right"))

    def mean(self, values: Tensor, axis: int, cells: tuple[int, int], origin: int) -> Tensor:
        """Return the means of a range of cells along an axis; NaN for cells that hold no pixel.

        Parameters
        ----------
        values : Tensor
            Pixel values; along ``axis`` they start at pixel ``origin``.
        axis : int
        cells : tuple of int
            First cell, and one past the last.
        origin : int
        """
        first, last = self.first[slice(*cells)], self.last[slice(*cells)]
        if np.array_equal(first, np.arange(first[0], first[0] + len(first))) and np.array_equal(last, first + 1):
            return values.narrow(axis, int(first[0]) - origin, len(first))  # one pixel per cell: nothing to copy
        sizes = torch.from_numpy(last - first)
        pixels = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)]) - origin
        gathered = values.index_select(axis, torch.from_numpy(pixels).to(values.device, torch.int64))
        if bool((sizes == 1).all()):
            return gathered
        shape = list(values.shape)
        shape[axis] = len(first)
        cell = torch.repeat_interleave(torch.arange(len(first)), sizes).to(values.device)
        sums = torch.zeros(shape, dtype=values.dtype, device=values.device).index_add_(axis, cell, gathered)
        along_axis = [1] * len(shape)
        along_axis[axis] = -1
        return sums / sizes.to(values.device).reshape(along_axis)  # 0 / 0 is NaN: no pixel


def axes(image: Grid, target: Grid) -> tuple[Cells, Cells]:
    """Return the cells of a target grid's rows and columns over an image's pixels; both grids north-up."""
    m = image.to(target)  # column' = a * column + c, row' = e * row + f: without rotation the axes are independent
    return Cells.of(m.e, m.f, image.height, target.height), Cells.of(m.a, m.c, image.width, target.width)
