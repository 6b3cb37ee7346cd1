"""Maps as arrays in memory, for validation during training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import IGNORED, Task
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.strips import Strip
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.map_network import MapNetwork, class_codes, mean_height
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.tile import Tile


class ArrayMaps:
    """Maps of a tile as arrays, each on the grid of its ground truth, and the targets that fill them."""

    def __init__(self, tile: Tile, network: MapNetwork) -> None:
        self.maps: dict[Task, NDArray[Any]] = {}
        self.targets = []
        truth = {"semantics": tile.grids["labels"], "height": tile.grids["height"]}
        for task in network.outputs:
            grid = truth[task]
            dtype, fill = (np.uint8, IGNORED) if task == "semantics" else (np.float32, np.nan)
            self.maps[task] = np.full((grid.height, grid.width), fill, dtype=dtype)
            if (grid.height, grid.width) != (1, 1):  # else the tile lacks the layer
                self.targets.append(self._target(task, tile.grids["image"], grid, network.slice_of(task)))

    def _target(self, task: Task, image: Grid, grid: Grid, channels: slice) -> Target:
        array = self.maps[task]

        def write(row: int, column: int, values: Tensor) -> None:
            block = class_codes(values) if task == "semantics" else mean_height(values)
            array[row : row + block.shape[0], column : column + block.shape[1]] = block

        return Target(channels, *axes(image, grid), write)


def predict_arrays(blender: Blender, network: MapNetwork, tile: Tile) -> dict[Task, NDArray[Any]]:
    """Return a tile's maps as arrays on the grids of its ground truth: uint8 classes, float32 metres."""
    maps = ArrayMaps(tile, network)

    def read(row: int, column: int, rows: int, columns: int) -> Strip:
        window = slice(row, row + rows), slice(column, column + columns)
        return Strip(tile.image[window].permute(2, 0, 1), None if tile.invalid is None else tile.invalid[window])

    if maps.targets:
        for _ in blender.run(read, tile.rows, tile.columns, maps.targets):
            pass
    return maps.maps
