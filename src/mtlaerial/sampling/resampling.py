"""Resampling windows of rasters where the pixels of patches lie, on the device.

Where they lie takes few numbers, one per column and one per row of a patch. They are worked out for a whole batch when
a warp is made; what costs time is then done for a part of the batch at a time.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, threshold

from mtlaerial.sampling.patch_coordinates import Placement
from mtlaerial.sampling.windows import Windows

Some = Tensor | slice
"""Which patches of a part: their indices, or all."""
_ALL = slice(None)
_ROUNDING = 1e-3
"""Of a pixel: what is missing to a whole number is rounding, and is not to move a patch by a pixel."""
_JUST_BELOW_HALF = torch.nextafter(torch.tensor(0.5), torch.tensor(0.0)).item()


class Warp(ABC):
    """Reads a layer where the patches of a batch lie.

    Parameters
    ----------
    placement : Placement
    part : int
        Patches at a time.
    device : torch.device
        Where they are wanted.
    """

    def __init__(self, placement: Placement, part: int, device: torch.device, mirror: bool = False) -> None:
        self._windows = Windows(placement, part, device, mirror)

    @abstractmethod
    def __call__(self, number: int, *outs: Tensor) -> None:
        """Fill ``outs``, shape (part, patch, patch, bands) each, with the patches of the part of a number."""


class Cells(Warp):
    """Takes patches whose pixels are cells."""

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        super().__init__(placement, part, device, mirror=True)

    def __call__(self, number: int, *outs: Tensor) -> None:
        """Copy."""
        (out,) = outs
        self._windows.put(number, out)


class Nearest(Warp):
    """Picks the cells that pixels lie in, of one or several layers on the same grid."""

    def __init__(self, placement: Placement, part: int, device: torch.device, *others: Placement) -> None:
        super().__init__(placement, part, device)
        windows = self._windows
        self._layers = [windows, *(Windows(other, part, device) for other in others)]
        self._across, self._down = windows.moved(windows.across[:, None]), windows.moved(windows.down[:, :, None])
        first = windows.first(windows.rows * windows.columns)[:, :, None]
        self._first = torch.split(first.to(device, non_blocking=True), part)

    def __call__(self, number: int, *outs: Tensor) -> None:
        """Pick."""
        index = self._index(number).view(-1)
        for windows, out in zip(self._layers, outs, strict=True):
            bands = out.shape[-1:] if out.shape[-1] > 1 else ()  # single values are picked faster than rows of one
            cells = windows.cut(number).reshape(-1, *bands)
            if out.dtype == cells.dtype:
                torch.index_select(cells, 0, index, out=out.view(-1, *bands))
            else:
                out.copy_(cells.index_select(0, index).view(out.shape))

    def _index(self, number: int) -> Tensor:
        """Return which cell of all windows of a part each pixel lies in, shape (part, patch, patch), int32."""
        across, down = self._across[number], self._down[number]
        columns, rows = ((across[..., axis] + down[..., axis]).int() for axis in (0, 1))
        return columns.add_(rows, alpha=self._windows.columns).add_(self._first[number])


class Bilinear(Warp):
    """Interpolates all bands."""

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        super().__init__(placement, part, device)
        self._sampled = _Sampled(self._windows)

    def __call__(self, number: int, *outs: Tensor) -> None:
        """Interpolate."""
        (out,) = outs
        windows = self._windows.cut(number).to(out.dtype).permute(0, 3, 1, 2)
        out.copy_(self._sampled.all_bands(windows, number).permute(0, 2, 3, 1))


class BilinearAmongKnown(Warp):
    """Interpolates the only band among its cells that are not NaN.

    The result is NaN where those hold less than half of the weight.
    """

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        pixels = placement.pixels_per_cell
        super().__init__(placement, part, device, mirror=pixels is not None)
        self._interpolated = _Sampled(self._windows) if pixels is None else _Enlarged(self._windows, pixels)

    def __call__(self, number: int, *outs: Tensor) -> None:
        """Interpolate; the only one of ``outs`` has one band."""
        (out,) = outs
        values = self._windows.cut(number)[..., 0]
        known = ~values.isnan()
        partly = _partly(known)
        heights = self._interpolated(values.nan_to_num(nan=0.0), number)
        if partly is not None:
            weight = self._interpolated(known[partly].to(values.dtype), number, partly)
            heights[partly] /= threshold(weight, _JUST_BELOW_HALF, torch.nan)
        out.copy_(heights[..., None])


def _partly(known: Tensor) -> Some | None:
    """Return which windows of shape (part, rows, columns) are not known all over, or None for none."""
    if known.device.type != "cpu":  # to look would cost more than it saves
        return _ALL
    partly = known.flatten(1).all(dim=1).logical_not_().nonzero()[:, 0]
    return partly if len(partly) else None


class _Sampled:
    """Interpolates windows however patches lie on them."""

    def __init__(self, windows: Windows) -> None:
        size = torch.tensor([windows.columns, windows.rows])
        self._across = windows.moved((windows.across / size * 2)[:, None])
        self._down = windows.moved((windows.down / size * 2 - 1)[:, :, None])

    def all_bands(self, windows: Tensor, number: int, some: Some = _ALL) -> Tensor:
        """Return (some, bands, patch, patch) of windows of shape (some, bands, rows, columns)."""
        # Pairs (x, y) are added as complex numbers: one addition over whole rows instead of one per pair.
        across, down = (torch.view_as_complex(lines[number][some]) for lines in (self._across, self._down))
        return grid_sample(windows, torch.view_as_real(across + down), padding_mode="border", align_corners=False)

    def __call__(self, windows: Tensor, number: int, some: Some = _ALL) -> Tensor:
        """Return (some, patch, patch) of windows of shape (some, rows, columns)."""
        return self.all_bands(windows[:, None], number, some)[:, 0]


class _Enlarged:
    """Interpolates windows whose cells are filled by whole numbers of pixels, then cuts the patches out of them.

    Between two neighbours the shares of both are then the same in all columns, and in all rows: every n-th pixel of a
    window takes one pass over whole rows, and nothing has to be looked up.
    """

    def __init__(self, windows: Windows, pixels: tuple[int, int]) -> None:
        at = windows.across[:, 0] + windows.down[:, 0] - 0.5
        sizes, numbers = torch.tensor([windows.columns, windows.rows]), torch.tensor(pixels)
        first = torch.where(windows.mirrored, sizes - 1 - at, at)
        starts = torch.floor(first * numbers + _ROUNDING)
        self._pixels, self._patch = pixels, windows.across.shape[1]
        self._starts = torch.split(starts.int(), windows.part)
        self._shares = windows.moved(first - starts / numbers)

    def __call__(self, windows: Tensor, number: int, some: Some = _ALL) -> Tensor:
        """Return (some, patch, patch) of windows of shape (some, rows, columns)."""
        shares, starts = self._shares[number][some][:, :, None, None], self._starts[number][some].tolist()
        columns, rows = self._pixels
        large = _between(_between(windows, 2, columns, shares[:, 0]), 1, rows, shares[:, 1])
        size = self._patch
        return torch.stack(
            [each[row : row + size, column : column + size] for each, (column, row) in zip(large, starts, strict=True)]
        )


def _between(values: Tensor, axis: int, number: int, share: Tensor) -> Tensor:
    """Return a number of pixels between neighbours along an axis, evenly spaced.

    The first has a ``share`` of the second neighbour.
    """
    lower, upper = values.narrow(axis, 0, values.shape[axis] - 1), values.narrow(axis, 1, values.shape[axis] - 1)
    shape = list(lower.shape)
    shape.insert(axis + 1, number)
    between = values.new_empty(shape)
    for step in range(number):
        torch.lerp(lower, upper, share + step / number, out=between.select(axis + 1, step))
    return between.flatten(axis, axis + 1)
