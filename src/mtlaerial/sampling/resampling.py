"""Resampling of windows to patches, on the device.

Each class fills one tensor of a batch. Coordinates take few numbers, one per column and one per row of a patch, and are
worked out for a whole batch at construction; the costly work is done for a part of the batch at a time, so that it
stays in the processor's cache.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import threshold

from mtlaerial.sampling.interpolation import ALL, Enlargement, GridSample, Selection, on_device
from mtlaerial.sampling.patch_coordinates import PatchCoordinates, Windows

_JUST_BELOW_HALF = torch.nextafter(torch.tensor(0.5), torch.tensor(0.0)).item()


class Resampler(ABC):
    """Fills a tensor of a batch with a layer, part by part.

    Parameters
    ----------
    coordinates : PatchCoordinates
    out : Tensor, shape (batch, patch, patch, bands)
    part : int
        Patches at a time.
    mirror, halo
        As for :class:`Windows`.
    """

    def __init__(
        self, coordinates: PatchCoordinates, out: Tensor, part: int, mirror: bool = False, halo: int = 0
    ) -> None:
        self._windows = Windows(coordinates, part, out.device, mirror, halo)
        self._outs = torch.split(out, part)

    @abstractmethod
    def fill(self, part_index: int) -> None:
        """Fill one part of the batch, counted from 0."""


class Copy(Resampler):
    """Copies patches whose pixels are cells."""

    def __init__(self, coordinates: PatchCoordinates, out: Tensor, part: int) -> None:
        super().__init__(coordinates, out, part, mirror=True)

    def fill(self, part_index: int) -> None:
        """Copy the windows of one part."""
        self._windows.cut_into(part_index, self._outs[part_index])


class Nearest(Resampler):
    """Picks the cell that each pixel lies in, of one layer or of several on the same grid.

    Parameters
    ----------
    coordinates, out, part
        As for :class:`Resampler`.
    others : tuple of (PatchCoordinates, Tensor)
        Further layers with the same coordinates, and the tensors to fill: the cells' indices are worked out once.
    """

    def __init__(
        self, coordinates: PatchCoordinates, out: Tensor, part: int, *others: tuple[PatchCoordinates, Tensor]
    ) -> None:
        super().__init__(coordinates, out, part)
        windows, device = self._windows, out.device
        self._layers = [(windows, self._outs)]
        self._layers += [(Windows(each, part, device), torch.split(tensor, part)) for each, tensor in others]
        self._across = on_device(windows.across[:, None], windows)
        self._down = on_device(windows.down[:, :, None], windows)
        # The windows of a part lie one after the other in memory: index of the first cell of each.
        size = windows.rows * windows.columns
        first = (torch.arange(len(windows.rasters), dtype=torch.int32) % part * size)[:, None, None]
        self._first = torch.split(first.to(device, non_blocking=True), part)

    def fill(self, part_index: int) -> None:
        """Pick the cells of one part."""
        index = self._index(part_index).view(-1)
        for windows, outs in self._layers:
            out = outs[part_index]
            bands = out.shape[-1:] if out.shape[-1] > 1 else ()  # single values are picked faster than rows of one
            cells = windows.cut(part_index).reshape(-1, *bands)
            if out.dtype == cells.dtype:
                torch.index_select(cells, 0, index, out=out.view(-1, *bands))
            else:
                out.copy_(cells.index_select(0, index).view(out.shape))

    def _index(self, part_index: int) -> Tensor:
        """Return each pixel's cell among those of all windows of a part, shape (part, patch, patch), int32."""
        across, down = self._across[part_index], self._down[part_index]
        columns, rows = ((across[..., axis] + down[..., axis]).int() for axis in (0, 1))
        return columns.add_(rows, alpha=self._windows.columns).add_(self._first[part_index])


class Bilinear(Resampler):
    """Interpolates all bands."""

    def __init__(self, coordinates: PatchCoordinates, out: Tensor, part: int) -> None:
        super().__init__(coordinates, out, part)
        self._interpolation = GridSample(self._windows)

    def fill(self, part_index: int) -> None:
        """Interpolate the windows of one part."""
        out = self._outs[part_index]
        windows = self._windows.cut(part_index).to(out.dtype).permute(0, 3, 1, 2)
        out.copy_(self._interpolation.all_bands(windows, part_index).permute(0, 2, 3, 1))


class BilinearAmongKnown(Resampler):
    """Interpolates a single band among its cells that are not NaN.

    The result is NaN where those hold less than half of the weight. As with a pre-multiplied alpha channel, windows
    enter the interpolation as value x valid (NaN becomes 0), and the result is divided by the interpolation of valid
    (1 or 0): that is the mean, with bilinear weights, of the known neighbours alone.
    """

    def __init__(self, coordinates: PatchCoordinates, out: Tensor, part: int, halo: int = 0) -> None:
        pixels = coordinates.pixels_per_cell
        super().__init__(coordinates, out, part, mirror=pixels is not None, halo=halo)
        self._interpolate = GridSample(self._windows) if pixels is None else Enlargement(self._windows, pixels)

    def fill(self, part_index: int) -> None:
        """Interpolate the windows of one part."""
        values = self._values(part_index)
        valid = ~values.isnan()
        incomplete = _incomplete(valid)
        heights = self._interpolate(values.nan_to_num(nan=0.0), part_index)
        if incomplete is not None:  # elsewhere the weight is 1
            weight = self._interpolate(valid[incomplete].to(values.dtype), part_index, incomplete)
            # A weight of exactly one half counts as known: threshold() keeps only values above its bound.
            heights[incomplete] /= threshold(weight, _JUST_BELOW_HALF, torch.nan)
        self._outs[part_index].copy_(heights[..., None])

    def _values(self, part_index: int) -> Tensor:
        """Return the values to interpolate, shape (part, rows, columns)."""
        return self._windows.cut(part_index)[..., 0]


def _incomplete(valid: Tensor) -> Selection | None:
    """Return the windows of shape (part, rows, columns) with cells that are not valid, or None without any."""
    if valid.device.type != "cpu":  # reading the answer would wait for the device: longer than the work it saves
        return ALL
    incomplete = valid.flatten(1).all(dim=1).logical_not_().nonzero()[:, 0]
    return incomplete if len(incomplete) else None
