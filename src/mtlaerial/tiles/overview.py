"""Overviews: an image averaged over squares of pixels, and windows of it under any pose.

Networks with a context see the surroundings of their patches and windows in one. Trainings and predictions make them by
the functions here alone, so that both see the same.
"""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

BLOCK = 1024
"""Side in pixels of the parts of an image that are averaged at a time; divisible by every scale."""
_ROUNDING = 1e-4
"""Of a weight: less below one half is rounding."""


def averaged(image: Tensor, scale: int) -> Tensor:
    """Return the means over squares of pixels, those at the lower and right edge perhaps over fewer.

    Parameters
    ----------
    image : Tensor, shape (bands, rows, columns)
        Of integers, or floats with NaN for no data, which enters no mean.
    scale : int
        Side of a square in pixels.

    Returns
    -------
    Tensor, shape (bands, rows / scale, columns / scale), rounded up, float32
        NaN where a square has no data at all.

    Examples
    --------
    >>> averaged(torch.tensor([[[0.0, 4.0, 7.0], [torch.nan, 2.0, 9.0]]]), 2)
    tensor([[[2., 8.]]])
    """
    values = image.float()
    if not image.is_floating_point():
        return _mean(values, scale)
    valid = values.isfinite()
    return _mean(torch.where(valid, values, 0.0), scale) / _mean(valid.float(), scale)


def _mean(values: Tensor, scale: int) -> Tensor:
    return avg_pool2d(values, scale, ceil_mode=True)


def tile_overview(image: Tensor, scale: int) -> Tensor:
    """Return the overview of a tile's image, both of shape (rows, columns, bands), as float32 on the image's device."""
    parts = []
    for rows in torch.split(image, BLOCK):
        strip = [averaged(part.permute(2, 0, 1), scale) for part in torch.split(rows, BLOCK, dim=1)]
        parts.append(torch.cat(strip, dim=2))
    return torch.cat(parts, dim=1).permute(1, 2, 0).contiguous()


def overview_window(
    overview: Tensor, centre: tuple[float, float], matrix: Tensor, size: tuple[int, int], device: torch.device
) -> Tensor:
    """Return a window of an overview, interpolated; NaN where nothing is known.

    Parameters
    ----------
    overview : Tensor, shape (rows, columns, bands)
    centre : tuple of float
        Column and row of the window's centre, in cells of the overview (a cell's centre is at its index + 0.5).
    matrix : Tensor, shape (2, 2), on the CPU
        From (column, row) offsets in the window to offsets in the overview.
    size : tuple of int
        Rows and columns of the window.
    device : torch.device
        Of the window.

    Returns
    -------
    Tensor, shape (bands, rows, columns), float32
        The mean, with bilinear weights, of the known neighbours; NaN where those hold less than half of the weight.
    """
    rows, columns = size
    middle, steps = torch.tensor(centre, dtype=torch.float64), matrix.double()
    reach = steps.abs() @ torch.tensor([columns / 2, rows / 2], dtype=torch.float64)
    cells = torch.tensor([overview.shape[1], overview.shape[0]])
    # A cell more on each side, for the neighbours of bilinear weights.
    low = (torch.floor(middle - reach).long() - 1).clamp(min=0).minimum(cells)
    high = (torch.ceil(middle + reach).long() + 1).minimum(cells).maximum(low)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    if right == left or bottom == top:
        return torch.full((overview.shape[2], rows, columns), torch.nan, device=device)
    crop = overview[top:bottom, left:right].to(device).permute(2, 0, 1).float()
    # To grid_sample's range: -1 is the outer edge of the crop's first cell, 1 that of its last.
    scaling = 2 / (high - low).double()
    across = _offsets(columns)[:, None] * steps[:, 0] * scaling
    down = (_offsets(rows)[:, None] * steps[:, 1] + middle - low) * scaling - 1
    grid = across.float().to(device)[None, :] + down.float().to(device)[:, None]
    return _interpolated(crop, grid)


def _offsets(length: int) -> Tensor:
    return torch.arange(length, dtype=torch.float64) + 0.5 - length / 2


def _interpolated(crop: Tensor, grid: Tensor) -> Tensor:
    """Return (bands, rows, columns) of a crop of such a shape at the points of a grid, (rows, columns, 2)."""
    valid = crop.isfinite().all(dim=0, keepdim=True)
    # As with a pre-multiplied alpha channel: value x valid, divided by valid. Outside of the crop both are 0.
    stack = torch.cat([torch.where(valid, crop, 0.0), valid.float()])
    interpolated = grid_sample(stack[None], grid[None], align_corners=False)[0]
    values, weight = interpolated[:-1], interpolated[-1:]
    return torch.where(weight > 0.5 - _ROUNDING, values / weight, torch.nan)
