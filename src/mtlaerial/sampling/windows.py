"""The windows of rasters that patches need."""

import torch
from torch import Tensor

from mtlaerial.sampling.patch_coordinates import Placement


class Windows:
    """Cuts from each raster the window that holds its patch, all of one size.

    Parameters
    ----------
    placement : Placement
    part : int
        How many are cut at a time.
    device : torch.device
        Where they are wanted.
    mirror : bool
        Whether windows of straight patches are turned to run as the patches do.

    Attributes
    ----------
    rows, columns : int
        Their size.
    across, down : Tensor, shape (batch, patch, 2), float64
        As in the placement, in cells of the window before it is mirrored.
    mirrored : Tensor, shape (batch, 2), bool
        Whether its columns and its rows are.
    """

    def __init__(self, placement: Placement, part: int, device: torch.device, mirror: bool = False) -> None:
        self.rasters, self.part, self.device = placement.rasters, part, device
        # A neighbour on each side for the bilinear weights; a little more, for what rounding takes.
        margin = 0.0 if placement.on_cells else 0.51
        first = torch.floor(placement.lowest - margin)
        last = torch.floor(placement.highest + margin)
        self.columns, self.rows = (last - first + 1).amax(dim=0).long().tolist()
        self._corners: list[list[int]] = first.long().tolist()
        self.mirrored = placement.mirrored & mirror
        self._flipped = [
            [axis for axis, against in ((0, rows), (1, columns)) if against] for columns, rows in self.mirrored.tolist()
        ]
        self.across, self.down = placement.across, placement.down - first[:, None, :]

    def cut(self, number: int) -> Tensor:
        """Return the windows of a part, shape (part, rows, columns, bands)."""
        cuts = self._cuts(number)
        if cuts[0].device.type == self.device.type:
            return torch.stack(cuts)
        # Copies to a GPU do not hold up the host only from memory that is pinned.
        windows = torch.empty(len(cuts), *cuts[0].shape, dtype=cuts[0].dtype, pin_memory=self.device.type == "cuda")
        return torch.stack(cuts, out=windows).to(self.device, non_blocking=True)

    def put(self, number: int, out: Tensor) -> None:
        """Copy the windows of a part into a tensor of any type."""
        if out.device.type == "cpu":  # without a stack of them between
            for cut, place in zip(self._cuts(number), out, strict=True):
                place.copy_(cut)
        else:
            out.copy_(self.cut(number))

    def _cuts(self, number: int) -> list[Tensor]:
        own = slice(number * self.part, (number + 1) * self.part)
        cuts = (
            _window(raster, row, column, self.rows, self.columns)
            for raster, (column, row) in zip(self.rasters[own], self._corners[own], strict=True)
        )
        return [cut.flip(axes) if axes else cut for cut, axes in zip(cuts, self._flipped[own], strict=True)]

    def moved(self, numbers: Tensor) -> tuple[Tensor, ...]:
        """Return numbers of a batch as float32 on the device, in parts."""
        return torch.split(numbers.float().to(self.device, non_blocking=True), self.part)

    def first(self, size: int) -> Tensor:
        """Return where each window of a size begins within its part, shape (batch, 1), int32."""
        return (torch.arange(len(self.rasters), dtype=torch.int32) % self.part * size)[:, None]


def _window(raster: Tensor, row: int, column: int, rows: int, columns: int) -> Tensor:
    """Return a window of a raster of shape (rows, columns, bands); outside the raster its edge is repeated."""
    top, left = (min(max(-start, 0), size - 1) for start, size in ((row, rows), (column, columns)))
    inside = raster[_inside(row, rows, raster.shape[0]), _inside(column, columns, raster.shape[1])]
    if inside.shape[0] == rows and inside.shape[1] == columns:
        return inside
    bottom, right = top + inside.shape[0], left + inside.shape[1]
    window = raster.new_empty(rows, columns, raster.shape[2])
    window[top:bottom, left:right] = inside
    window[top:bottom, :left], window[top:bottom, right:] = inside[:, :1], inside[:, -1:]
    window[:top], window[bottom:] = window[top], window[bottom - 1]
    return window


def _inside(start: int, length: int, size: int) -> slice:
    """Return which of ``size`` cells a window covers; the nearest one where it covers none."""
    first = min(max(start, 0), size - 1)
    return slice(first, max(min(start + length, size), first + 1))
