"""Class-balanced sampling: positions of patches that meet all classes equally often."""

from collections.abc import Collection, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import IGNORED
from mtlaerial.rasters.grid import area_weights
from mtlaerial.sampling.points import corners_about, find_group
from mtlaerial.sampling.poses import free_space
from mtlaerial.tiles.tile import Tile

_BLOCK = 1024
"""Rows that are counted at a time."""


class BalancedCorners:
    """Draws a trained class that occurs, each as often, then a point of its area uniformly over all tiles.

    The cell lies anywhere in the middle half of the patch, however that is turned, so that the network cannot learn
    that the centre of a patch is special. Memory holds one count per class and row of the labels, not the labels.

    Parameters
    ----------
    tiles : sequence of Tile
    patch : int
        Side of a patch in image pixels.
    labels : sequence of array, shape (rows, columns), uint8
        The labels of each tile, in the memory of the host or mapped into it; some are of a class that is trained.
    untrained : collection of int, optional
        Classes that are never drawn.
    reach : float, optional
        As of :func:`mtlaerial.sampling.points.corners_about`.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        patch: int,
        labels: Sequence[NDArray[np.uint8]],
        untrained: Collection[int] = (),
        reach: float | None = None,
    ) -> None:
        self.tiles, self.patch, self.labels, self.reach = tiles, patch, labels, reach
        self._up_to_row = [_cells_up_to_row(array) for array in labels]
        self._weights = _cell_weights(tiles, self._up_to_row)
        in_tiles = np.zeros((len(tiles), IGNORED))
        for total, cells, weight in zip(in_tiles, self._up_to_row, self._weights, strict=True):
            total[: len(cells)] = weight * cells[:, -1]
        self._up_to_tile = in_tiles.cumsum(axis=0)
        present: list[int] = np.flatnonzero(self._up_to_tile[-1]).tolist()
        self.classes = [index for index in present if index not in untrained]

    @property
    def area(self) -> float:
        """Area of the classes that are drawn, in image pixels."""
        # Only a tile with labels has the weight of its cells in those of the finest labels.
        labelled = int(self._up_to_tile.any(axis=1).argmax())
        columns, rows = self.tiles[labelled].to_labels[:2]
        finest = 1 / abs(columns * rows) / self._weights[labelled]
        return float(finest * self._up_to_tile[-1, self.classes].sum())

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""
        classes = torch.randint(len(self.classes), (batch,), generator=generator).tolist()
        fractions = torch.rand(batch, dtype=torch.float64, generator=generator).tolist()
        within = torch.rand(batch, 2, dtype=torch.float64, generator=generator)
        aside = torch.rand(batch, 2, dtype=torch.float64, generator=generator) - 0.5
        located = [self._cell(self.classes[c], fraction) for c, fraction in zip(classes, fractions, strict=True)]
        chosen = [tile for tile, _, _ in located]
        maps = torch.tensor([self.tiles[tile].to_labels for tile in chosen], dtype=torch.float64)
        cells = torch.tensor([[column, row] for _, row, column in located]) + within
        points = (cells - maps[:, 2:]) / maps[:, :2]
        return chosen, corners_about(points, aside, self.patch, free_space(self.tiles, chosen, self.patch), self.reach)

    def _cell(self, index: int, fraction: float) -> tuple[int, int, int]:
        """Return tile, row and column of the cell at a fraction (from 0 to 1) of the area of a class."""
        up_to_tile = self._up_to_tile[:, index]
        tile, area = find_group(up_to_tile, fraction * up_to_tile[-1])
        up_to_row = self._up_to_row[tile][index]
        # Rounding of weights may lead past the last cell.
        cell = min(int(area / self._weights[tile]), int(up_to_row[-1]) - 1)
        row, number = find_group(up_to_row, cell)
        return tile, row, int(np.flatnonzero(self.labels[tile][row] == index)[number])


def _cell_weights(tiles: Sequence[Tile], up_to_row: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Return the area of a cell of each tile's labels in those of the finest; 1 for tiles without a class."""
    weights = np.ones(len(tiles))
    labelled = [index for index, cells in enumerate(up_to_row) if cells[:, -1].any()]
    # Images have one GSD: areas in their pixels can be compared.
    scales = [tiles[index].to_labels[:2] for index in labelled]
    weights[labelled] = area_weights([1 / abs(columns * rows) for columns, rows in scales])
    return weights


def _cells_up_to_row(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of cells of each class up to each row, shape (classes, rows)."""
    blocks = [_cells_per_row(labels[start : start + _BLOCK]) for start in range(0, len(labels), _BLOCK)]
    classes = max(len(block) for block in blocks)
    counts = [np.pad(block, ((0, classes - len(block)), (0, 0))) for block in blocks]
    return np.concatenate(counts, axis=1).cumsum(axis=1)


def _cells_per_row(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the number of cells of each class in each row, shape (classes, rows), up to the last class that occurs."""
    # One bincount for all rows: a key per pair of row and class.
    keys = np.arange(len(labels))[:, None] * (IGNORED + 1) + labels
    counts = np.bincount(keys.ravel(), minlength=len(labels) * (IGNORED + 1)).reshape(len(labels), -1)[:, :IGNORED]
    last = int(np.flatnonzero(counts.any(axis=0)).max(initial=0))
    return counts[:, : last + 1].T
