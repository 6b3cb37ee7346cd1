"""Sample patches, the same after each epoch, chosen where there is ground truth, and their predictions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import IGNORED, Task, TaskEntry, task_entry
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.tiles.derived_truth import tile_truth
from mtlaerial.tiles.overview import overview_window, tile_overview
from mtlaerial.tiles.tile import Tile

CANDIDATES = 8
"""Largest number of candidate patches along a side of a tile."""
Maps = dict[Task, NDArray[Any]]
"""Class indices and heights in metres, by task."""
Extent = tuple[float, float, float, float]
"""Left, right, bottom, top of a layer, in image pixels from the patch's upper left corner; down is negative."""


@dataclass(frozen=True)
class Patch:
    """A square of a tile with its ground truth on that one's grid.

    Attributes
    ----------
    tile : str
    image : Tensor, shape (bands, side, side), the file's dtype
    truth : dict of task to array, shape (rows, columns)
        Class indices, ``IGNORED`` where unknown; metres, NaN where unknown.
    extents : dict of task to Extent
        Extent of the truth's cells.
    corner : tuple of int
        Row and column of its first pixel.
    surroundings : Tensor, shape (bands, side, side), float32, or None
        What lies around it, for networks with a context.
    """

    tile: str
    image: Tensor
    truth: Maps
    extents: dict[Task, Extent]
    corner: tuple[int, int] = (0, 0)
    surroundings: Tensor | None = None

    @classmethod
    def cut(cls, tile: Tile, row: int, column: int, side: int, tasks: Sequence[Task]) -> "Patch":
        """Return a copy of a square of a tile, with all cells of the truth that the square touches."""
        image = tile.image[row : row + side, column : column + side].permute(2, 0, 1).cpu().clone()
        truth: Maps = {}
        extents: dict[Task, Extent] = {}
        for task in tasks:
            truth[task], extents[task] = _cut(tile, task_entry(task), row, column, side)
        return cls(tile.name, image, truth, extents, (row, column))

    @property
    def network_input(self) -> Tensor:
        """The image, with its surroundings behind its bands if it has any."""
        return self.image if self.surroundings is None else torch.cat([self.image.float(), self.surroundings])

    @property
    def interest(self) -> float:
        """Interest of the patch: large with much truth, many classes, uneven heights; 0 where a task has no truth."""
        return math.prod((_interest(task, layer) for task, layer in self.truth.items()), start=1.0)


def _cut(tile: Tile, entry: TaskEntry, row: int, column: int, side: int) -> tuple[NDArray[Any], Extent]:
    raster, (across, down, right, below) = tile.layer(entry.truth), tile.axis_map(entry.truth)
    columns, (west, east) = _cells(column, side, across, right, raster.shape[1])
    rows, (north, south) = _cells(row, side, down, below, raster.shape[0])
    extent = west, east, -south, -north
    if entry.derivation:
        return tile_truth(entry, tile, rows)[:, columns].copy(), extent
    return raster[rows, columns, 0].cpu().numpy().copy(), extent


def _cells(first: int, side: int, scale: float, offset: float, number: int) -> tuple[slice, tuple[float, float]]:
    """Return the cells of a layer that the patch touches along one axis, and their begin and end in its pixels."""
    begin = min(max(0, math.floor(first * scale + offset)), number)
    end = min(max(begin, math.ceil((first + side) * scale + offset)), number)
    return slice(begin, end), ((begin - offset) / scale - first, (end - offset) / scale - first)


def _interest(task: Task, layer: NDArray[Any]) -> float:
    of_classes = task_entry(task).output == "classes"
    valid = layer[layer != IGNORED] if of_classes else layer[np.isfinite(layer)]
    if not valid.size:
        return 0.0
    variety = len(np.unique(valid)) if of_classes else 1 + float(valid.std())
    return float(valid.size / layer.size * variety)


def choose(
    tiles: Sequence[Tile],
    tasks: Sequence[Task],
    number: int,
    side: int,
    multiple: int,
    context_scale: int | None = None,
) -> list[Patch]:
    """Return the most interesting patches, from as many tiles as possible; none without ground truth.

    Parameters
    ----------
    tiles : sequence of Tile
    tasks : sequence of Task
        Tasks that need truth in a patch.
    number : int
        Largest number of patches.
    side : int
        Side of a patch in image pixels; less in smaller tiles.
    multiple : int
        Divisor of the side, as the network needs it.
    context_scale : int, optional
        That of the network's context.
    """
    best = []
    for tile in tiles:
        patches = sorted(_patches(tile, tasks, side, multiple), key=lambda patch: -patch.interest)
        best.append(patches[:number])
    in_turn = chain.from_iterable(zip_longest(*best))  # the best of each tile, then the second best, ...
    chosen = [patch for patch in in_turn if patch and patch.interest][:number]
    return [_with_surroundings(patch, tiles, context_scale) for patch in chosen] if context_scale else chosen


def _with_surroundings(patch: Patch, tiles: Sequence[Tile], scale: int) -> Patch:
    overview = next(tile_overview(tile.image, scale) for tile in tiles if tile.name == patch.tile)
    side = patch.image.shape[-1]
    row, column = patch.corner
    centre = (column + side / 2) / scale, (row + side / 2) / scale
    window = overview_window(overview, centre, torch.eye(2), (side, side), patch.image.device)
    return replace(patch, surroundings=window)


def _patches(tile: Tile, tasks: Sequence[Task], side: int, multiple: int) -> Iterator[Patch]:
    side = min(side, tile.rows, tile.columns) // multiple * multiple
    if side:
        for row in _corners(tile.rows, side):
            for column in _corners(tile.columns, side):
                yield Patch.cut(tile, row, column, side, tasks)


def _corners(length: int, side: int) -> list[int]:
    return [int(corner) for corner in np.linspace(0, length - side, min(CANDIDATES, length // side))]


def predict(network: MapNetwork, patches: Sequence[Patch], device: torch.device) -> list[Maps]:
    """Return the network's class indices and metres of each patch, shape (side, side)."""
    predictions: list[Maps] = []
    # Without torch.compile: another shape would make it compile again, and perhaps other code for the training.
    with torch.compiler.set_stance("force_eager"):
        for patch in patches:
            outputs = network(patch.network_input[None].to(device))[0]
            maps: Maps = {}
            for task in network.outputs:
                entry, values = task_entry(task), outputs[network.slice_of(task)]
                shown = MAKERS[entry.maps[0].shows](values)
                maps[task] = shown if entry.unit is None else shown * np.float32(entry.metres)
            predictions.append(maps)
    return predictions
