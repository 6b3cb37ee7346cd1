"""Patches on a layer's grid: the coordinates of their pixels, and the windows of the rasters that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mtlaerial.config import Layer
from mtlaerial.sampling.poses import Poses
from mtlaerial.sampling.raster_window import cut_window
from mtlaerial.tiles.tile import ON_GRID, Tile

_DRIFT = 0.01
"""Largest drift, in cells, between pixel and cell grids over a patch for a whole number of pixels to fill each cell."""


@dataclass(frozen=True)
class PatchCoordinates:
    """Coordinates of patches on a layer, as (column, row) in cells.

    Pixel (row, column) of a patch lies at ``across[column] + down[row]``: a pose is linear, so one line per axis holds
    what a grid of patch x patch coordinates would.

    Attributes
    ----------
    rasters : list of Tensor, shape (rows, columns, bands)
        The layer of each patch's tile. For a patch turned by a quarter it is a transposed view, and the coordinates
        are swapped with it: that makes every exact pose straight.
    across, down : Tensor, shape (batch, patch, 2), float64
    low, high : Tensor, shape (batch, 2), float64
        Both the image and the layer cover the ground from ``low`` up to, but not at, ``high``.
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
        """Columns and rows of pixels that fill a cell, where they are the same whole numbers everywhere; else None."""
        if not self.straight or len(self.across[0]) == 1:
            return None
        steps = torch.stack([self.across[:, 1, 0] - self.across[:, 0, 0], self.down[:, 1, 1] - self.down[:, 0, 1]], 1)
        numbers = (1 / steps[0].abs()).round()
        drift = (steps.abs() - 1 / numbers).abs().max() * self.across.shape[1]
        columns, rows = numbers.int().tolist()
        return (columns, rows) if drift < _DRIFT else None

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

    def mask_outside(self, values: Tensor, unknown: float) -> None:
        """Set the pixels of (batch, patch, patch) that are not on covered ground to ``unknown``, in place."""
        crossing = ((self.lowest < self.low) | (self.highest >= self.high)).any(dim=1)
        for index in crossing.nonzero()[:, 0].tolist():
            values[index].masked_fill_(self._outside(index).to(values.device, non_blocking=True), unknown)

    def _outside(self, index: int) -> Tensor:
        middle, half = (self.high[index] + self.low[index]) / 2, (self.high[index] - self.low[index]) / 2
        # Distances from the middle are small enough for float32, which is faster; coordinates in a mosaic are not.
        across, down = self.across[index].float(), (self.down[index] - middle).float()
        x, y = ((across[None, :, axis] + down[:, None, axis]).abs_() > half[axis] for axis in (0, 1))
        return x | y


def lay_patches(poses: Poses, patch: int, tiles: Sequence[Tile], layer: Layer) -> PatchCoordinates:
    """Return the coordinates of patches on a layer.

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
    sizes = torch.tensor([[tile.columns, tile.rows] for tile in tiles]).double()
    matrices = poses.matrices.double()
    low, high = offset.clamp(min=0), torch.minimum(sizes * scale + offset, cells)
    # The pose's matrix and the layer's scale in one: from offsets in the patch to offsets in cells.
    to_cells = matrices * scale[:, :, None]
    centres = poses.centres.double() * scale + offset
    if poses.exact:
        turned = matrices[:, 0, 0] == 0
        for index in turned.nonzero()[:, 0].tolist():
            rasters[index] = rasters[index].transpose(0, 1)
        low, high, to_cells, centres = (_swap_axes(values, turned) for values in (low, high, to_cells, centres))
    offsets = (torch.arange(patch, dtype=torch.float64) + 0.5 - patch / 2)[:, None]
    across = to_cells[:, None, :, 0] * offsets
    down = to_cells[:, None, :, 1] * offsets + centres[:, None, :]
    on_image = all(axis_map == ON_GRID for axis_map in maps)
    return PatchCoordinates(rasters, across, down, low, high, poses.exact, on_image)


def _swap_axes(values: Tensor, turned: Tensor) -> Tensor:
    """Swap the (column, row) axis, which is the second, of the patches that are turned by a quarter."""
    return torch.where(turned.reshape(-1, *[1] * (values.dim() - 1)), values.flip(1), values)


class Windows:
    """Cuts from each raster the window that holds its patch.

    Parameters
    ----------
    coordinates : PatchCoordinates
    part : int
        Patches that are cut at a time.
    device : torch.device
        Device of the cut windows.
    mirror : bool
        Whether windows of straight patches are flipped to run as the patches do.
    halo : int
        Further cells around each window.

    Attributes
    ----------
    rows, columns : int
        Size of a window.
    across, down : Tensor, shape (batch, patch, 2), float64
        As in the coordinates, in cells of the window before it is flipped.
    mirrored : Tensor, shape (batch, 2), bool
        Whether a window's columns and its rows are flipped.
    """

    def __init__(
        self, coordinates: PatchCoordinates, part: int, device: torch.device, mirror: bool = False, halo: int = 0
    ) -> None:
        self.rasters, self.part, self.device = coordinates.rasters, part, device
        # Half a cell reaches the neighbours of bilinear weights; a hundredth more covers rounding.
        margin = halo + (0.0 if coordinates.on_cells else 0.51)
        first = torch.floor(coordinates.lowest - margin)
        last = torch.floor(coordinates.highest + margin)
        self.columns, self.rows = (last - first + 1).amax(dim=0).long().tolist()
        self._corners: list[list[int]] = first.long().tolist()
        self.mirrored = coordinates.mirrored & mirror
        self._flipped_axes = [_flipped_axes(*mirrored) for mirrored in self.mirrored.tolist()]
        self.across, self.down = coordinates.across, coordinates.down - first[:, None, :]

    def cut(self, part_index: int) -> Tensor:
        """Return the windows of a part on the device, shape (part, rows, columns, bands)."""
        windows = self._cut_each(part_index)
        if windows[0].device.type == self.device.type:
            return torch.stack(windows)
        # Only copies from pinned memory to a GPU do not hold up the host.
        pinned = torch.empty(
            len(windows), *windows[0].shape, dtype=windows[0].dtype, pin_memory=self.device.type == "cuda"
        )
        return torch.stack(windows, out=pinned).to(self.device, non_blocking=True)

    def cut_into(self, part_index: int, out: Tensor) -> None:
        """Copy the windows of a part into a tensor of any dtype, shape (part, rows, columns, bands)."""
        if out.device.type != "cpu":
            out.copy_(self.cut(part_index))
            return
        for window, place in zip(self._cut_each(part_index), out, strict=True):  # without a stack in between
            place.copy_(window)

    def _cut_each(self, part_index: int) -> list[Tensor]:
        part = slice(part_index * self.part, (part_index + 1) * self.part)
        windows = []
        for raster, (column, row), axes in zip(
            self.rasters[part], self._corners[part], self._flipped_axes[part], strict=True
        ):
            window = cut_window(raster, row, column, self.rows, self.columns)
            windows.append(window.flip(axes) if axes else window)
        return windows


def _flipped_axes(columns: bool, rows: bool) -> list[int]:
    return [axis for axis, flipped in ((0, rows), (1, columns)) if flipped]
