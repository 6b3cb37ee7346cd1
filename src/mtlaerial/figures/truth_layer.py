"""Ground truth of a task for figures."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import TaskEntry
from mtlaerial.figures.tile_layers import SIDE, Frame, Layer, read_grid, read_layer
from mtlaerial.scoring.height_truth import HeightTruth


def read_truth(tile: Path, entry: TaskEntry, frame: Frame, side: int = SIDE) -> Layer:
    """Read the truth of a task, decimated to at most ``side`` pixels along its longer side.

    What an entry derives from heights is derived at their own cells, of which every n-th is shown.

    Parameters
    ----------
    tile : Path
        Folder of the prepared tile.
    entry : TaskEntry
    frame : Frame
    side : int, optional
    """
    path = tile / f"{entry.truth}.tif"
    if entry.derivation is None:
        return read_layer(path, frame, side)
    grid, truth = read_grid(path), HeightTruth(tile, entry)
    step = max(1.0, max(grid.height, grid.width) / side)
    rows, columns = _shown(grid.height, step), _shown(grid.width, step)
    values = np.stack([truth(row, 1)[0, columns] for row in rows.tolist()])
    return Layer(np.ma.masked_invalid(values[None]), frame.extent(grid))


def _shown(length: int, step: float) -> NDArray[np.int64]:
    """Return the cells that hold the centres of the figure's pixels along an axis."""
    number = max(1, round(length / step))
    return np.floor((np.arange(number) + 0.5) * length / number).astype(np.int64)
