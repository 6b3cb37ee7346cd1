"""Resampling of windows to patches, on the device.

Each class fills one tensor of a batch. Coordinates take few numbers, one per column and one per row of a patch, and are
worked out for a whole batch at construction; the costly work is done for a part of the batch at a time, so that it
stays in the processor's cache.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, threshold

from mtlaerial.sampling.patch_coordinates import PatchCoordinates, Windows

Selection = Tensor | slice
"""Some patches of a part: their indices, or all."""
_ALL = slice(None)
_ROUNDING = 1e-3
"""Of a pixel: a smaller distance to the next whole number is rounding, and must not move a patch by a pixel."""
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
        self._across = _on_device(windows.across[:, None], windows)
        self._down = _on_device(windows.down[:, :, None], windows)
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
        self._interpolation = _GridSample(self._windows)

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
        self._interpolate = _GridSample(self._windows) if pixels is None else _Enlarge(self._windows, pixels)

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
        return _ALL
    incomplete = valid.flatten(1).all(dim=1).logical_not_().nonzero()[:, 0]
    return incomplete if len(incomplete) else None


def _on_device(coordinates: Tensor, windows: Windows) -> tuple[Tensor, ...]:
    """Return coordinates of a batch as float32 on the device, in parts."""
    return torch.split(coordinates.float().to(windows.device, non_blocking=True), windows.part)


class _GridSample:
    """Interpolates windows under any pose."""

    def __init__(self, windows: Windows) -> None:
        size = torch.tensor([windows.columns, windows.rows])
        # To grid_sample's range: -1 is the outer edge of the first cell, 1 that of the last.
        self._across = _on_device((windows.across / size * 2)[:, None], windows)
        self._down = _on_device((windows.down / size * 2 - 1)[:, :, None], windows)

    def all_bands(self, windows: Tensor, part_index: int, selection: Selection = _ALL) -> Tensor:
        """Return (some, bands, patch, patch) of windows of shape (some, bands, rows, columns)."""
        # The grid of a patch is across[column] + down[row], two coordinates each. Viewed as complex numbers, x + iy,
        # a broadcast addition runs over whole rows instead of over pairs of numbers, which is several times as fast.
        across = torch.view_as_complex(self._across[part_index][selection])
        down = torch.view_as_complex(self._down[part_index][selection])
        grid = torch.view_as_real(across + down)
        return grid_sample(windows, grid, padding_mode="border", align_corners=False)

    def __call__(self, windows: Tensor, part_index: int, selection: Selection = _ALL) -> Tensor:
        """Return (some, patch, patch) of windows of shape (some, rows, columns)."""
        return self.all_bands(windows[:, None], part_index, selection)[:, 0]


class _Enlarge:
    """Interpolates windows whose cells are filled by whole numbers of pixels, then cuts the patches out of them.

    Between two neighbours the weights of both are then the same in all columns, and in all rows: every n-th pixel of a
    window takes one ``lerp`` over whole rows, and no cell has to be looked up.
    """

    def __init__(self, windows: Windows, pixels: tuple[int, int]) -> None:
        # The first pixel of each patch, from the centre of its window's first cell.
        position = windows.across[:, 0] + windows.down[:, 0] - 0.5
        sizes, numbers = torch.tensor([windows.columns, windows.rows]), torch.tensor(pixels)
        first = torch.where(windows.mirrored, sizes - 1 - position, position)
        starts = torch.floor(first * numbers + _ROUNDING)
        self._pixels, self._patch = pixels, windows.across.shape[1]
        self._starts = torch.split(starts.int(), windows.part)
        self._shares = _on_device(first - starts / numbers, windows)

    def __call__(self, windows: Tensor, part_index: int, selection: Selection = _ALL) -> Tensor:
        """Return (some, patch, patch) of windows of shape (some, rows, columns)."""
        shares, starts = (
            self._shares[part_index][selection][:, :, None, None],
            self._starts[part_index][selection].tolist(),
        )
        columns, rows = self._pixels
        large = _enlarge_axis(_enlarge_axis(windows, 2, columns, shares[:, 0]), 1, rows, shares[:, 1])
        size = self._patch
        return torch.stack(
            [each[row : row + size, column : column + size] for each, (column, row) in zip(large, starts, strict=True)]
        )


def _enlarge_axis(values: Tensor, axis: int, number: int, share: Tensor) -> Tensor:
    """Interpolate evenly spaced pixels between neighbours along an axis; the first takes ``share`` of the second."""
    lower, upper = values.narrow(axis, 0, values.shape[axis] - 1), values.narrow(axis, 1, values.shape[axis] - 1)
    shape = list(lower.shape)
    shape.insert(axis + 1, number)
    between = values.new_empty(shape)
    for step in range(number):
        torch.lerp(lower, upper, share + step / number, out=between.select(axis + 1, step))
    return between.flatten(axis, axis + 1)
