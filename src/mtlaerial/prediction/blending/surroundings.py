"""Surroundings of windows: an overview of the whole raster, in a file mapped into memory, and its windows."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mtlaerial.prediction.blending.strips import Read
from mtlaerial.prediction.blending.windows import Axis
from mtlaerial.tiles.overview import averaged, overview_window

Around = Callable[[int], Tensor]
"""From the first column of a window to its surroundings, (bands, rows, columns), float32; NaN where not known."""
ROWS, COLUMNS = 512, 4096
"""Size in pixels of the parts of a raster that are averaged at a time; divisible by every scale."""


class Surroundings:
    """What lies around the windows of a raster.

    The overview is in an unnamed file, which the system frees even when the process is killed: memory does not grow
    with the raster.

    Parameters
    ----------
    read : Read
        Reader of the raster, whose every pixel is read once.
    rows, columns : int
        The raster's size in pixels.
    scale : int
        How many times as wide, and as coarse, as the windows their surroundings are.
    device : torch.device
        Of the surroundings.
    scratch : Path, optional
        Folder of the file; by default the system's.
    """

    def __init__(
        self, read: Read, rows: int, columns: int, scale: int, device: torch.device, scratch: Path | None = None
    ) -> None:
        self.scale, self.device = scale, device
        self.overview = _streamed(read, rows, columns, scale, scratch)

    def of_row(self, down: Axis, index: int, across: Axis) -> Around:
        """Return a function that cuts the surroundings of the windows in a row of them."""
        size = down.window, across.window
        row = down.starts[index] + down.window / 2

        def around(column: int) -> Tensor:
            centre = (column + across.window / 2) / self.scale, row / self.scale
            return overview_window(self.overview, centre, torch.eye(2), size, self.device)

        return around


def _streamed(read: Read, rows: int, columns: int, scale: int, scratch: Path | None) -> Tensor:
    """Return the overview of a raster, shape (rows / scale, columns / scale, bands), mapped from a file."""
    overview: Tensor | None = None
    for row in range(0, rows, ROWS):
        for column in range(0, columns, COLUMNS):
            image = read(row, column, min(ROWS, rows - row), min(COLUMNS, columns - column)).image
            part = averaged(image, scale).permute(1, 2, 0).cpu()
            if overview is None:
                overview = _mapped((-(-rows // scale), -(-columns // scale), part.shape[2]), scratch)
            top, left = row // scale, column // scale
            overview[top : top + part.shape[0], left : left + part.shape[1]] = part
    assert overview is not None
    return overview


def _mapped(shape: tuple[int, int, int], scratch: Path | None) -> Tensor:
    with tempfile.TemporaryFile(dir=scratch) as file:  # the map outlives the open file
        return torch.from_numpy(np.memmap(file, np.float32, "w+", shape=shape))
