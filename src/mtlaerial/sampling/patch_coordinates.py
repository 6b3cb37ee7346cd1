"""Where the pixels of patches lie on a layer of their tiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtlaerial.config import Layer
from mtlaerial.sampling.poses import Poses
from mtlaerial.tiles.tile import ON_GRID, Tile

_TOLERANCE = 0.01
"""Of a cell: how far pixels may be, at the end of a patch, from where a whole number of them in a cell puts them."""


@dataclass(frozen=True)
class Placement:
    """Where patches lie on a layer: pixel (row, column) at ``across[column] + down[row]``, as (column, row) in cells.

    Attributes
    ----------
    rasters : list of Tensor, shape (rows, columns, bands)
        The layer of each patch's tile. Where a patch is turned by a quarter they are transposed views, so that
        every exact pose is straight.
    across, down : Tensor, shape (batch, patch, 2), float64
    low, high : Tensor, shape (batch, 2), float64
        The ground is known from ``low`` up to, but not at, ``high``: where both the image and the layer are.
    straight : bool
        Whether the patch's rows and columns run along the raster's.
    on_image : bool
        Whether the layer's cells are the image's pixels.
    """

    rasters: list[Tensor]
    across: Tensor
    down: Tensor
    low: Tensor
    high: Tensor
    straight: bool
    on_image: bool

    @property
    def on_cells(self) -> bool:
        """Whether every pixel is one cell."""
        return self.straight and self.on_image

    @cached_property
    def pixels_per_cell(self) -> tuple[int, int] | None:
        """How many pixels fill a cell from side to side and from top to bottom, where that is the same whole number."""
        if not self.straight or len(self.across[0]) == 1:
            return None
        steps = torch.stack([self.across[:, 1, 0] - self.across[:, 0, 0], self.down[:, 1, 1] - self.down[:, 0, 1]], 1)
        numbers = (1 / steps[0].abs()).round()
        off = (steps.abs() - 1 / numbers).abs().max() * self.across.shape[1]
        columns, rows = numbers.int().tolist()
        return (columns, rows) if off < _TOLERANCE else None

    @cached_property
    def lowest(self) -> Tensor:
        """The smallest (column, row) of each patch's pixels, shape (batch, 2)."""
        return torch.minimum(self.across[:, 0], self.across[:, -1]) + torch.minimum(self.down[:, 0], self.down[:, -1])

    @cached_property
    def highest(self) -> Tensor:
        """The largest (column, row) of each patch's pixels, shape (batch, 2)."""
        return torch.maximum(self.across[:, 0], self.across[:, -1]) + torch.maximum(self.down[:, 0], self.down[:, -1])

    @property
    def mirrored(self) -> Tensor:
        """Whether a straight patch's columns, and its rows, run against the raster's, shape (batch, 2)."""
        return torch.stack([self.across[:, -1, 0] < self.across[:, 0, 0], self.down[:, -1, 1] < self.down[:, 0, 1]], 1)

    def outside(self) -> list[tuple[int, Tensor]]:
        """Return the patches some of whose pixels are not on known ground, with a mask of those, (patch, patch)."""
        crossing = ((self.lowest < self.low) | (self.highest >= self.high)).any(dim=1)
        return [(index, self._outside(index)) for index in crossing.nonzero()[:, 0].tolist()]

    def _outside(self, index: int) -> Tensor:
        middle, half = (self.high[index] + self.low[index]) / 2, (self.high[index] - self.low[index]) / 2
        across, down = self.across[index].float(), (self.down[index] - middle).float()
        x, y = ((across[None, :, axis] + down[:, None, axis]).abs_() > half[axis] for axis in (0, 1))
        return x | y


def place(poses: Poses, patch: int, tiles: Sequence[Tile], layer: Layer) -> Placement:
    """Lay patches on a layer.

    Parameters
    ----------
    poses : Poses
    patch : int
        Side of a patch in image pixels.
    tiles : sequence of Tile
        The tile of each patch.
    layer : Layer
    """
    rasters = [tile.layer(layer) for tile in tiles]
    maps = [tile.axis_map(layer) for tile in tiles]
    scale, offset = torch.tensor(maps, dtype=torch.float64).reshape(-1, 2, 2).unbind(1)
    cells = torch.tensor([[raster.shape[1], raster.shape[0]] for raster in rasters], dtype=torch.float64)
    matrices, centres, sizes = (
        poses.matrices.double(),
        poses.centres.double(),
        torch.tensor([[tile.columns, tile.rows] for tile in tiles]).double(),
    )
    low, high = offset.clamp(min=0), torch.minimum(sizes * scale + offset, cells)
    # From offsets in the patch to the layer: its columns first, then its rows.
    along = matrices * scale[:, :, None]
    middle = centres * scale + offset
    if poses.exact:
        turned = matrices[:, 0, 0] == 0
        for index in turned.nonzero()[:, 0].tolist():
            rasters[index] = rasters[index].transpose(0, 1)
        low, high, along, middle = (
            torch.where(turned.reshape(-1, *[1] * (each.dim() - 1)), each.flip(1), each)
            for each in (low, high, along, middle)
        )
    offsets = (torch.arange(patch, dtype=torch.float64) + 0.5 - patch / 2)[:, None]
    across = along[:, None, :, 0] * offsets
    down = along[:, None, :, 1] * offsets + middle[:, None, :]
    return Placement(rasters, across, down, low, high, poses.exact, all(m == ON_GRID for m in maps))
