"""Maps as arrays in memory, for validation during training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.map_layers import EXACT
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.tile import Tile


class ArrayMaps:
    """Maps of a tile as arrays, each on the grid of its ground truth, and the targets that fill them."""

    def __init__(self, tile: Tile, network: MapNetwork) -> None:
        self.maps: dict[Task, NDArray[Any]] = {}
        self.targets = []
        for task in network.outputs:
            entry = task_entry(task)
            grid, (dtype, nodata) = tile.grids[entry.truth], EXACT[entry.maps[0].shows]
            self.maps[task] = np.full((grid.height, grid.width), nodata, dtype)
            if (grid.height, grid.width) != (1, 1):  # else the tile lacks the layer
                self.targets.append(self._target(task, tile.grids["image"], grid, network.slice_of(task)))

    def _target(self, task: Task, image: Grid, grid: Grid, channels: slice) -> Target:
        array, make = self.maps[task], MAKERS[task_entry(task).maps[0].shows]

        def write(row: int, column: int, values: Tensor) -> None:
            block = make(values)
            array[row : row + block.shape[0], column : column + block.shape[1]] = block

        return Target(channels, *axes(image, grid), write)


def predict_arrays(blender: Blender, network: MapNetwork, tile: Tile) -> dict[Task, NDArray[Any]]:
    """Return a tile's maps as arrays on the grids of its ground truth: codes, or values in their unit."""
    maps = ArrayMaps(tile, network)

    def read(row: int, column: int, rows: int, columns: int) -> Strip:
        window = slice(row, row + rows), slice(column, column + columns)
        return Strip(tile.image[window].permute(2, 0, 1), None if tile.invalid is None else tile.invalid[window])

    if maps.targets:
        for _ in blender.run(read, tile.rows, tile.columns, maps.targets):
            pass
    return maps.maps
