"""True values of a task in metres on a tile's grid of heights, read block by block."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import TaskEntry
from mtlaerial.rasters.geotiff import map_raster
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.scoring.map_checks import grid_of


class HeightTruth:
    """The heights of a prepared tile, or what a task's entry derives from them.

    Parameters
    ----------
    tile : Path
        Folder of the prepared tile.
    entry : TaskEntry
    """

    def __init__(self, tile: Path, entry: TaskEntry) -> None:
        path = tile / "height.tif"
        self._entry, self._heights = entry, map_raster(path)
        self._cells = entry.derivation.cells(ground_cell_area(grid_of(path))) if entry.derivation else 0

    @property
    def empty(self) -> bool:
        """Whether no height is known."""
        return not bool(np.isfinite(self._heights).any())

    def __call__(self, top: int, rows: int) -> NDArray[np.float32]:
        """Return a copy of some rows, NaN where not known."""
        if not self._entry.derivation:
            return np.array(self._heights[top : top + rows])
        from mtlaerial.tasks.derived_truth import derived_rows  # needs torch, which other tasks' scores do not

        return derived_rows(self._entry, self._heights, top, rows, self._cells)
