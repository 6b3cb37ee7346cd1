"""A window of a raster in memory, which may reach beyond it."""

from torch import Tensor


def cut_window(raster: Tensor, row: int, column: int, rows: int, columns: int) -> Tensor:
    """Return a window of a raster of shape (rows, columns, bands); outside the raster its edge is repeated."""
    inside = raster[_inside(row, rows, raster.shape[0]), _inside(column, columns, raster.shape[1])]
    if inside.shape[0] == rows and inside.shape[1] == columns:
        return inside  # a view, without copying
    top, left = min(max(-row, 0), rows - 1), min(max(-column, 0), columns - 1)
    bottom, right = top + inside.shape[0], left + inside.shape[1]
    window = raster.new_empty(rows, columns, raster.shape[2])
    window[top:bottom, left:right] = inside
    window[top:bottom, :left], window[top:bottom, right:] = inside[:, :1], inside[:, -1:]
    window[:top], window[bottom:] = window[top], window[bottom - 1]
    return window


def _inside(start: int, length: int, size: int) -> slice:
    """Return the cells, of ``size``, that a window covers; the nearest one where it covers none."""
    first = min(max(start, 0), size - 1)
    return slice(first, max(min(start + length, size), first + 1))
