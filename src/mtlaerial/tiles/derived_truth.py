"""True values of a task in metres on the heights of a loaded tile."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import TaskEntry
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.tasks.derived_truth import derived_rows
from mtlaerial.tiles.tile import Tile


def tile_truth(entry: TaskEntry, tile: Tile, rows: slice = slice(None)) -> NDArray[np.float32]:
    """Return the heights of a tile, or what a task's entry derives from them, NaN where not known.

    Parameters
    ----------
    entry : TaskEntry
    tile : Tile
    rows : slice, optional
        Rows of the heights; by default all.
    """
    cells = entry.derivation.cells(ground_cell_area(tile.grids["height"])) if entry.derivation else 0
    first, end, _ = rows.indices(len(tile.height))
    north = max(0, first - cells)
    heights: NDArray[np.float32] = tile.height[north : end + cells, :, 0].cpu().numpy()
    if not cells:
        return heights
    return derived_rows(entry, heights, first - north, end - first, cells)
