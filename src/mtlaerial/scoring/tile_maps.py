"""Maps of a tile, read block by block on the grid of their ground truth."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import TaskEntry
from mtlaerial.config.task_entry import MapLayer
from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.map_checks import require_exact, require_same_grid, with_nan

Read = Callable[[int, int], NDArray[Any]]
"""Takes the first row and the number of rows, and returns a block, shape (bands, rows, columns)."""
ReadHeights = Callable[[int, int], tuple[NDArray[np.float32], NDArray[np.float32] | None]]
"""Takes the same, and returns heights and deviations in metres, shape (rows, columns); None without a deviation."""


def probabilities_of(entry: TaskEntry) -> MapLayer:
    """Return the map of the probabilities of a task of classes."""
    return next(layer for layer in entry.possible_maps if layer.shows == "probabilities")


@contextmanager
def open_map(path: Path, truth: Path) -> Iterator[Read]:
    """Open a map, and yield the function that reads blocks of it.

    Raises
    ------
    DataError
        When it is missing, has another grid than its ground truth, or a scale tag.
    """
    if not path.is_file():
        raise DataError(path, "no file", f"a map on the grid of {truth}", "Predict again.")
    with open_raster(path) as source:
        require_same_grid(path, Grid.of(source), truth)
        require_exact(path, source)

        def read(top: int, rows: int) -> NDArray[Any]:
            return with_nan(source, source.read(window=((top, top + rows), (0, source.width))))

        yield read


@contextmanager
def open_heights(maps: Path, entry: TaskEntry, deviation: MapLayer | None, truth: Path) -> Iterator[ReadHeights]:
    """Open the map of a task of heights and, if there is one, that of the standard deviation; see :func:`open_map`."""
    metres = np.float32(entry.metres)
    with ExitStack() as stack:
        heights = stack.enter_context(open_map(maps / f"{entry.map_name}.tif", truth))
        deviations: Read | None = None
        if deviation:
            deviations = stack.enter_context(open_map(maps / f"{deviation.name}.tif", truth))

        def read(top: int, rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
            s = deviations(top, rows)[0] * metres if deviations else None
            return heights(top, rows)[0] * metres, s

        yield read
