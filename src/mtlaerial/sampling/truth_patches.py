"""Positions of patches that contain truth, in a stated number of the patches of each batch."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.config import Augmentation
from mtlaerial.config.task_entry import Truth
from mtlaerial.sampling.points import corners_about, find_group
from mtlaerial.sampling.poses import Corners, free_space, is_exact
from mtlaerial.tiles.blocks import has_truth
from mtlaerial.tiles.tile import Tile

_BLOCK = 1024
"""Rows that are counted at a time."""


class TruthCorners:
    """Draws a point of the area with truth of a layer, uniformly over all tiles, and a patch about it.

    Memory holds one count per row of the layer.

    Parameters
    ----------
    tiles : sequence of Tile
    patch : int
        Side of a patch in image pixels.
    layer : Truth
    values : sequence of array, shape (rows, columns)
        The layer of each tile, in the memory of the host or mapped into it; some have truth.
    zero_height : bool
        Whether heights <= 0 are trained on.
    reach : float, optional
        As of :func:`mtlaerial.sampling.points.corners_about`.
    untrained : collection of int, optional
        Classes that are no truth.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        patch: int,
        layer: Truth,
        values: Sequence[NDArray[Any]],
        zero_height: bool = True,
        reach: float | None = None,
        untrained: Collection[int] = (),
    ) -> None:
        self.tiles, self.patch, self.layer, self.values = tiles, patch, layer, values
        self.zero_height, self.reach = zero_height, reach
        self._untrained = list(untrained) if layer == "labels" else []
        self._up_to_row = [self._count_rows(array) for array in values]
        scales = [tile.axis_map(layer)[:2] for tile in tiles]
        self._weights = [1 / abs(columns * rows) for columns, rows in scales]
        areas = [weight * int(cells[-1]) for weight, cells in zip(self._weights, self._up_to_row, strict=True)]
        self._up_to_tile = np.cumsum(areas)

    @property
    def area(self) -> float:
        """Area with truth, in image pixels."""
        return float(self._up_to_tile[-1])

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""
        fractions = torch.rand(batch, dtype=torch.float64, generator=generator).tolist()
        within = torch.rand(batch, 2, dtype=torch.float64, generator=generator)
        aside = torch.rand(batch, 2, dtype=torch.float64, generator=generator) - 0.5
        located = [self._cell(fraction) for fraction in fractions]
        chosen = [tile for tile, _, _ in located]
        maps = torch.tensor([self.tiles[tile].axis_map(self.layer) for tile in chosen], dtype=torch.float64)
        cells = torch.tensor([[column, row] for _, row, column in located]) + within
        points = (cells - maps[:, 2:]) / maps[:, :2]
        return chosen, corners_about(points, aside, self.patch, free_space(self.tiles, chosen, self.patch), self.reach)

    def _cell(self, fraction: float) -> tuple[int, int, int]:
        """Return tile, row and column of the cell at a fraction (from 0 to 1) of the area with truth."""
        tile, area = find_group(self._up_to_tile, fraction * self.area)
        up_to_row = self._up_to_row[tile]
        # Rounding of weights may lead past the last cell.
        cell = min(int(area / self._weights[tile]), int(up_to_row[-1]) - 1)
        row, number = find_group(up_to_row, cell)
        return tile, row, int(np.flatnonzero(self._has_truth(self.values[tile][row]))[number])

    def _count_rows(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the number of cells with truth up to each row."""
        blocks = [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]
        counts = np.concatenate([self._has_truth(block).sum(axis=1) for block in blocks])
        return np.asarray(counts.cumsum(), dtype=np.int64)

    def _has_truth(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        valid = has_truth(self.layer, values, self.zero_height)
        return valid & ~np.isin(values, self._untrained) if self._untrained else valid


class StratifiedCorners:
    """Draws patches of several kinds, in fixed places of each batch.

    Parameters
    ----------
    kinds : sequence of Corners
    places : sequence of int
        The kind of each patch of a batch; a batch of another size repeats them.
    """

    def __init__(self, kinds: Sequence[Corners], places: Sequence[int]) -> None:
        self.kinds, self.places = kinds, places

    def draw(self, batch: int, generator: torch.Generator) -> tuple[list[int], Tensor]:
        """Return a tile per patch, and the columns and rows of their corners, shape (batch, 2)."""
        of_patch = [self.places[index % len(self.places)] for index in range(batch)]
        chosen, corners = [0] * batch, torch.empty(batch, 2)
        for kind, drawn in enumerate(self.kinds):
            indices = [index for index, place in enumerate(of_patch) if place == kind]
            if not indices:
                continue
            tiles, corners[indices] = drawn.draw(len(indices), generator)
            for index, tile in zip(indices, tiles, strict=True):
                chosen[index] = tile
        return chosen, corners


def places_of(areas: Sequence[float], number: int, batch: int) -> list[int]:
    """Return the kind of each patch of a batch: a number of each kind in turn, then all of that with the most area.

    In turn, so that the share of each process has some of all.

    Examples
    --------
    >>> places_of([100.0, 900.0], 2, 6)
    [0, 1, 0, 1, 1, 1]
    """
    largest = max(range(len(areas)), key=areas.__getitem__)
    in_turn = list(range(len(areas))) * number
    return in_turn + [largest] * (batch - len(in_turn))


def reach_of(augmentation: Augmentation, patch: int) -> float | None:
    """Return how far from its centre a patch has pixels in all directions, under all poses; None if it stays upright.

    It is the radius of the circle in the smallest patch, less a pixel, so that one is sampled beside the point.
    """
    if is_exact(augmentation):
        return None
    return max(patch / 2 / (1 + augmentation.zoom) - 1, 0.0)
