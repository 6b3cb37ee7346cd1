"""Patches whose predictions are shown after each epoch: always the same, where there is truth."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import IGNORED, TRUTH, Layer, Task
from mtlaerial.prediction.map_network import MapNetwork, class_codes, mean_height
from mtlaerial.tiles.tile import Tile

LOOKED_AT = 8
"""Patches that are looked at along a side of a tile, at most."""
Maps = dict[Task, NDArray[Any]]
"""Class indices, and metres."""
Extent = tuple[float, float, float, float]
"""Left, right, bottom, top of a layer, in image pixels from the patch's upper left corner; down is negative."""


@dataclass(frozen=True)
class Patch:
    """A square of a tile with its truth, which keeps its own grid.

    Attributes
    ----------
    tile : str
    image : Tensor, shape (bands, side, side), the file's dtype
    truth : dict of task to array, shape (rows, columns)
        Class indices, ``IGNORED`` where not known; metres, NaN where not known.
    extents : dict of task to Extent
        Where the cells of the truth lie.
    """

    tile: str
    image: Tensor
    truth: Maps
    extents: dict[Task, Extent]

    @classmethod
    def cut(cls, tile: Tile, row: int, column: int, side: int, tasks: Sequence[Task]) -> "Patch":
        """Return a square of a tile, copied; the truth has all cells that the square touches."""
        image = tile.image[row : row + side, column : column + side].permute(2, 0, 1).cpu().clone()
        cuts = {task: _cut(tile, TRUTH[task], row, column, side) for task in tasks}
        return cls(tile.name, image, {t: cut[0] for t, cut in cuts.items()}, {t: cut[1] for t, cut in cuts.items()})

    @property
    def interest(self) -> float:
        """How much there is to see: much known ground, many classes, uneven heights; 0 where a task has no truth."""
        return math.prod((_interest(task, layer) for task, layer in self.truth.items()), start=1.0)


def _cut(tile: Tile, layer: Layer, row: int, column: int, side: int) -> tuple[NDArray[Any], Extent]:
    raster, (across, down, right, below) = tile.layer(layer), tile.axis_map(layer)
    columns, (west, east) = _cells(column, side, across, right, raster.shape[1])
    rows, (north, south) = _cells(row, side, down, below, raster.shape[0])
    return raster[rows, columns, 0].cpu().numpy().copy(), (west, east, -south, -north)


def _cells(first: int, side: int, scale: float, offset: float, number: int) -> tuple[slice, tuple[float, float]]:
    """Return which of a layer's cells pixels touch, along one axis, and where in the patch those begin and end."""
    begin = min(max(0, math.floor(first * scale + offset)), number)
    end = min(max(begin, math.ceil((first + side) * scale + offset)), number)
    return slice(begin, end), ((begin - offset) / scale - first, (end - offset) / scale - first)


def _interest(task: Task, layer: NDArray[Any]) -> float:
    known = layer[layer != IGNORED] if task == "semantics" else layer[np.isfinite(layer)]
    if not known.size:
        return 0.0
    variety = len(np.unique(known)) if task == "semantics" else 1 + float(known.std())
    return float(known.size / layer.size * variety)


def choose(tiles: Sequence[Tile], tasks: Sequence[Task], number: int, side: int, multiple: int) -> list[Patch]:
    """Return the patches with most to see, from as many tiles as can be; none where there is no truth.

    Parameters
    ----------
    tiles : sequence of Tile
    tasks : sequence of Task
        For which there has to be truth.
    number : int
        Of patches, at most.
    side : int
        Of a patch in image pixels; less in tiles that are smaller.
    multiple : int
        What the network's input is to be divisible by.
    """
    best = [sorted(_patches(tile, tasks, side, multiple), key=lambda patch: -patch.interest)[:number] for tile in tiles]
    in_turn = chain.from_iterable(zip_longest(*best))
    return [patch for patch in in_turn if patch and patch.interest][:number]


def _patches(tile: Tile, tasks: Sequence[Task], side: int, multiple: int) -> Iterator[Patch]:
    side = min(side, tile.rows, tile.columns) // multiple * multiple
    if side:
        for row in _corners(tile.rows, side):
            for column in _corners(tile.columns, side):
                yield Patch.cut(tile, row, column, side, tasks)


def _corners(length: int, side: int) -> list[int]:
    return [int(corner) for corner in np.linspace(0, length - side, min(LOOKED_AT, length // side))]


def predict(network: MapNetwork, patches: Sequence[Patch], device: torch.device) -> list[Maps]:
    """Return what a network says of each patch: class indices and metres, shape (side, side).

    Without torch.compile: another shape would make it compile again, and perhaps other code for the training.
    """
    found = []
    with torch.compiler.set_stance("force_eager"):
        for patch in patches:
            outputs = network(patch.image[None].to(device))[0]
            maps = {task: outputs[network.slice_of(task)] for task in network.outputs}
            found.append({task: class_codes(m) if task == "semantics" else mean_height(m) for task, m in maps.items()})
    return found
