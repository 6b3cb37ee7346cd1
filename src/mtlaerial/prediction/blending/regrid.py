"""Bringing values from image pixels to the cells of another grid, one axis at a time, exactly and in parts.

A cell at least as large as a pixel is the mean of the pixels whose centres it holds; a smaller one takes the pixel that
holds its centre. Either way a cell needs a known range of pixels, so that a map can be made while its image streams by.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.rasters.grid import Grid


@dataclass(frozen=True)
class Cells:
    """The cells of one axis: cell ``i`` needs pixels ``first[i]`` to ``last[i] - 1``; none where it is outside."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(cls, scale: float, offset: float, pixels: int, cells: int) -> "Cells":
        """Build from the map cell = scale * pixel + offset between the axes' continuous coordinates."""
        edges = (np.arange(cells + 1) - offset) / scale
        if scale <= 1 + 1e-9:
            bounds = np.ceil(edges - 0.5 - 1e-6).astype(np.int64).clip(0, pixels)
            return cls(bounds[:-1], bounds[1:])
        centre = np.floor((edges[:-1] + edges[1:]) / 2 - 1e-6).astype(np.int64)
        first = centre.clip(0, pixels)
        return cls(first, np.where((centre >= 0) & (centre < pixels), first + 1, first))

    def __len__(self) -> int:
        return len(self.first)

    def completed(self, begin: int, end: int) -> tuple[int, int]:
        """Return the range of cells that need no pixel from ``end`` on, but one from ``begin`` on unless that is 0."""
        first = self._complete(begin) if begin else 0
        return first, self._complete(end)

    def needed(self, done: int) -> int:
        """Return the first of the pixels before ``done`` that an incomplete cell needs, or ``done``."""
        cell = self._complete(done)
        return min(int(self.first[cell]), done) if cell < len(self) else done

    def _complete(self, pixels: int) -> int:
        """Return how many cells, from the first, need only pixels before the given one."""
        return int(np.searchsorted(self.last, pixels, side="right"))

    def mean(self, values: Tensor, axis: int, cells: tuple[int, int], origin: int) -> Tensor:
        """Return the means of some cells along an axis; NaN for cells that hold no pixel.

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
            return values.narrow(axis, int(first[0]) - origin, len(first))  # a pixel per cell: nothing to copy
        sizes = torch.from_numpy(last - first)
        pixel = torch.from_numpy(np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)]) - origin)
        chosen = values.index_select(axis, pixel.to(values.device, torch.int64))
        if bool((sizes == 1).all()):
            return chosen
        shape = list(values.shape)
        shape[axis] = len(first)
        cell = torch.repeat_interleave(torch.arange(len(first)), sizes).to(values.device)
        sums = torch.zeros(shape, dtype=values.dtype, device=values.device).index_add_(axis, cell, chosen)
        divisor = [1] * len(shape)
        divisor[axis] = -1
        return sums / sizes.to(values.device).reshape(divisor)


def axes(image: Grid, target: Grid) -> tuple[Cells, Cells]:
    """Return the cells of a target grid's rows and columns over an image's pixels; both grids north-up."""
    m = image.to(target)
    return Cells.of(m.e, m.f, image.height, target.height), Cells.of(m.a, m.c, image.width, target.width)
