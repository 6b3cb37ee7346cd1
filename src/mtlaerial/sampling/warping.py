"""Resampling windows of rasters where the pixels of patches lie, on the device.

Where they lie takes few numbers, one per column and one per row of a patch. They are worked out for a whole batch when
a warp is made; what costs time is then done for a part of the batch at a time.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, grid_sample, threshold

from mtlaerial.sampling.cutting import Windows
from mtlaerial.sampling.placement import Placement

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

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        self._windows = Windows(placement, part, device)

    @abstractmethod
    def __call__(self, number: int, out: Tensor) -> None:
        """Fill ``out``, shape (part, patch, patch, bands), with the patches of the part of a number."""


class Cells(Warp):
    """Takes patches whose pixels are cells."""

    def __call__(self, number: int, out: Tensor) -> None:
        """Copy."""
        self._windows.put(number, out)


class Nearest(Warp):
    """Picks the cells that pixels lie in."""

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        super().__init__(placement, part, device)
        windows = self._windows
        self._across, self._down = windows.moved(windows.across[:, None]), windows.moved(windows.down[:, :, None])
        first = windows.first(windows.rows * windows.columns)[:, :, None]
        self._first = torch.split(first.to(device, non_blocking=True), part)

    def __call__(self, number: int, out: Tensor) -> None:
        """Pick."""
        bands = out.shape[-1:] if out.shape[-1] > 1 else ()  # single values are picked faster than rows of one
        cells = self._windows.cut(number).reshape(-1, *bands)
        out.copy_(cells.index_select(0, self._index(number).view(-1)).view(out.shape))

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

    def __call__(self, number: int, out: Tensor) -> None:
        """Interpolate."""
        windows = self._windows.cut(number).to(out.dtype).permute(0, 3, 1, 2)
        out.copy_(self._sampled(windows, number).permute(0, 2, 3, 1))


class BilinearAmongKnown(Warp):
    """Interpolates the only band among its cells that are not NaN.

    The result is NaN where those hold less than half of the weight.
    """

    def __init__(self, placement: Placement, part: int, device: torch.device) -> None:
        super().__init__(placement, part, device)
        self._interpolated = (_Interpolated if placement.straight else _Sampled)(self._windows)

    def __call__(self, number: int, out: Tensor) -> None:
        """Interpolate; ``out`` has one band."""
        values = self._windows.cut(number)[..., 0]
        known = ~values.isnan()
        if known.device.type == "cpu" and bool(known.all()):  # elsewhere looking would cost more than it saves
            out.copy_(self._interpolated(values[:, None], number)[:, 0, :, :, None])
            return
        weighed = torch.stack([values.nan_to_num(nan=0.0), known.to(values.dtype)], dim=1)
        total, weight = self._interpolated(weighed, number).unbind(1)
        torch.div(total, threshold(weight, _JUST_BELOW_HALF, torch.nan), out=out[..., 0])


class _Sampled:
    """Interpolates windows however patches lie on them."""

    def __init__(self, windows: Windows) -> None:
        size = torch.tensor([windows.columns, windows.rows])
        self._across = windows.moved((windows.across / size * 2)[:, None])
        self._down = windows.moved((windows.down / size * 2 - 1)[:, :, None])

    def __call__(self, windows: Tensor, number: int) -> Tensor:
        """Return (part, channels, patch, patch) of windows of shape (part, channels, rows, columns)."""
        # Pairs (x, y) are added as complex numbers: one addition over whole rows instead of one per pair.
        across, down = (torch.view_as_complex(lines[number]) for lines in (self._across, self._down))
        return grid_sample(windows, torch.view_as_real(across + down), padding_mode="border", align_corners=False)


class _Interpolated:
    """Interpolates windows along whose rows and columns the patches' run: between columns first, then between rows."""

    def __init__(self, windows: Windows) -> None:
        at = windows.across + windows.down - 0.5
        self._columns = _Between(at[..., 0], windows.columns, windows)
        self._rows = _Between(at[..., 1], windows.rows, windows)

    def __call__(self, windows: Tensor, number: int) -> Tensor:
        """Return (part, channels, patch, patch) of windows of shape (part, channels, rows, columns)."""
        turned = self._columns(windows.permute(0, 3, 1, 2), number)  # part, columns of the patch, channels, rows
        return self._rows(turned.permute(0, 3, 2, 1), number).permute(0, 2, 1, 3)


class _Between:
    """Interpolates between neighbouring rows of which each window has ``size``, at positions (batch, patch)."""

    def __init__(self, at: Tensor, size: int, windows: Windows) -> None:
        lower = at.floor()
        index = lower.int() + windows.first(size)
        pairs = torch.stack([index, index + 1], dim=-1).to(windows.device, non_blocking=True)
        self._pairs = torch.split(pairs, windows.part)
        self._shares = windows.moved(torch.stack([1 - (at - lower), at - lower], dim=-1))

    def __call__(self, rows: Tensor, number: int) -> Tensor:
        """Return (part, patch, ...) of rows of shape (part, rows, ...)."""
        flat = rows.reshape(rows.shape[0] * rows.shape[1], -1)
        pairs, shares = (each[number].flatten(0, 1) for each in (self._pairs, self._shares))
        # Sums of two weighted rows each, in one pass: made for embeddings, it does just that.
        mixed = embedding_bag(pairs, flat, per_sample_weights=shares, mode="sum")
        return mixed.view(rows.shape[0], -1, *rows.shape[2:])
