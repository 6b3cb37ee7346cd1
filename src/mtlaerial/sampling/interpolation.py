"""Bilinear interpolation of windows at the pixels of patches."""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from mtlaerial.sampling.patch_coordinates import Windows

Selection = Tensor | slice
"""Some patches of a part: their indices, or all."""
ALL = slice(None)
_ROUNDING = 1e-3
"""Of a pixel: a smaller distance to the next whole number is rounding, and must not move a patch by a pixel."""


def on_device(coordinates: Tensor, windows: Windows) -> tuple[Tensor, ...]:
    """Return coordinates of a batch as float32 on the device, in parts."""
    return torch.split(coordinates.float().to(windows.device, non_blocking=True), windows.part)


class GridSample:
    """Interpolates windows under any pose."""

    def __init__(self, windows: Windows) -> None:
        size = torch.tensor([windows.columns, windows.rows])
        # To grid_sample's range: -1 is the outer edge of the first cell, 1 that of the last.
        self._across = on_device((windows.across / size * 2)[:, None], windows)
        self._down = on_device((windows.down / size * 2 - 1)[:, :, None], windows)

    def all_bands(self, windows: Tensor, part_index: int, selection: Selection = ALL) -> Tensor:
        """Return (some, bands, patch, patch) of windows of shape (some, bands, rows, columns)."""
        # The grid of a patch is across[column] + down[row], two coordinates each. Viewed as complex numbers, x + iy,
        # a broadcast addition runs over whole rows instead of over pairs of numbers, which is several times as fast.
        across = torch.view_as_complex(self._across[part_index][selection])
        down = torch.view_as_complex(self._down[part_index][selection])
        grid = torch.view_as_real(across + down)
        return grid_sample(windows, grid, padding_mode="border", align_corners=False)

    def __call__(self, windows: Tensor, part_index: int, selection: Selection = ALL) -> Tensor:
        """Return (some, patch, patch) of windows of shape (some, rows, columns)."""
        return self.all_bands(windows[:, None], part_index, selection)[:, 0]


class Enlargement:
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
        self._shares = on_device(first - starts / numbers, windows)

    def __call__(self, windows: Tensor, part_index: int, selection: Selection = ALL) -> Tensor:
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
