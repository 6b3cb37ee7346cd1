"""Windows of Swin transformers: splitting features into them, shifting them, and keeping borders apart."""

import torch
from torch import Tensor

MASKED = -100.0
"""Summand of the scores of pixels that are no neighbours, as in the authors' code."""


def split_into_windows(features: Tensor, window: int) -> Tensor:
    """Return the pixels of each window, shape (windows, window², channels); windows and pixels run row by row.

    Parameters
    ----------
    features : Tensor, shape (batch, rows, columns, channels)
        Rows and columns divisible by ``window``.
    """
    batch, rows, columns, channels = features.shape
    strips = features.reshape(batch * (rows // window), window, columns, channels).transpose(1, 2)
    return strips.reshape(-1, window, window, channels).transpose(1, 2).flatten(1, 2)


def join_windows(windows: Tensor, window: int, rows: int, columns: int) -> Tensor:
    """Return features of shape (batch, rows, columns, channels): the inverse of :func:`split_into_windows`."""
    channels = windows.shape[2]
    strips = windows.reshape(-1, window, window, channels).transpose(1, 2).reshape(-1, columns, window, channels)
    return strips.transpose(1, 2).reshape(-1, rows, columns, channels)


def rolled(features: Tensor, shifts: tuple[int, int]) -> Tensor:
    """Return features of shape (batch, rows, columns, channels), shifted cyclically along rows and columns."""
    if not torch.compiler.is_exporting():
        return features.roll(shifts, (1, 2))
    for axis, shift in enumerate(shifts, start=1):  # ONNX cannot roll by what follows from the image's size
        side = features.shape[axis]
        sources = torch.arange(side, device=features.device) - shift
        sources = torch.where(sources < 0, sources + side, torch.where(sources >= side, sources - side, sources))
        features = features.index_select(axis, sources)
    return features


def border_mask(features: Tensor, window: int, shifts: tuple[int, int]) -> Tensor:
    """Return what keeps pixels of opposite borders apart, which a shift has brought into one window.

    Parameters
    ----------
    features : Tensor, shape (batch, rows, columns, channels)
        Only its shape, dtype and device matter.
    window : int
    shifts : tuple of int
        Pixels by which rows and columns have been rolled.

    Returns
    -------
    Tensor, shape (windows, 1, window², window²)
        0 where two pixels may attend to each other, else ``MASKED``.
    """
    batch, rows, columns = features.shape[:3]
    wrapped_rows = torch.arange(rows, device=features.device) >= rows - shifts[0]
    wrapped_columns = torch.arange(columns, device=features.device) >= columns - shifts[1]
    regions = 2 * wrapped_rows[:, None].to(features.dtype) + wrapped_columns.to(features.dtype)
    regions = split_into_windows(regions[None, :, :, None].expand(batch, -1, -1, -1), window)
    return MASKED * (regions != regions.transpose(1, 2)).to(features.dtype)[:, None]


def whole_windows(side: int, window: int) -> int:
    """Return the least multiple of the window's side that is not below ``side``, in pixels.

    In a network that is exported for any size it is two windows at least, as torch would give a graph for one window
    alone or for several alone. What lies in a window of padding does not reach the others.
    """
    windows = (side + window - 1) // window
    if torch.compiler.is_exporting():
        # max(windows, 2), of an even and an odd number: of two equal ones torch 2.13 makes a constant.
        windows = (torch.sym_max(2 * windows, 3) + 1) // 2  # type: ignore[no-untyped-call]
    return windows * window


def window_shift(side: int, window: int, shift: int) -> int:
    """Return the shift along an axis: none where one window covers it.

    Without a comparison, which would make torch export a graph for one window alone or for several alone.
    """
    windows = (side + window - 1) // window
    # 0 for one window, else 1. Not 1 - 1 // windows: ONNX Runtime 1.32 takes s * (1 // n) for s // n.
    is_shifted = (2 * windows - 2) // windows
    return shift * is_shifted
