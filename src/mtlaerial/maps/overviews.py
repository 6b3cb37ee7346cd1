"""Overviews: sizes, and tiles of half the size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.maps.layer import TILE, RasterLayer
from mtlaerial.maps.stored_values import present_mask


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the sizes in pixels of a raster and of its overviews, until one fits into a tile.

    Examples
    --------
    >>> level_sizes(1500, 700)
    [(1500, 700), (750, 350), (375, 175)]
    """
    sizes = [(height, width)]
    while max(sizes[-1]) > TILE:
        rows, columns = sizes[-1]
        sizes.append((-(-rows // 2), -(-columns // 2)))
    return sizes


def halved(tile: NDArray[Any], layer: RasterLayer) -> NDArray[Any]:
    """Return a tile of the next overview: a pixel for every two by two, and for what remains at odd ends.

    Parameters
    ----------
    tile : array, shape (bands, rows, columns)
        Stored values.
    layer : RasterLayer
    """
    if layer.resampling == "nearest":
        return np.ascontiguousarray(tile[:, ::2, ::2])
    odd = tile.shape[1] % 2, tile.shape[2] % 2
    if any(odd):
        tile = np.pad(tile, ((0, 0), (0, odd[0]), (0, odd[1])), constant_values=layer.nodata)
    quarters = [tile[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    present = present_mask(tile, layer)
    if present.all():
        return _mean(quarters, tile.dtype)
    masks = [present[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    counts = sum(mask.astype(np.float32) for mask in masks)
    total = sum(np.where(mask, part, 0).astype(np.float32) for part, mask in zip(quarters, masks, strict=True))
    means = total / np.maximum(counts, 1)
    if tile.dtype != np.float32:
        means = np.floor(means + 0.5)
    return np.where(counts > 0, means, layer.nodata).astype(tile.dtype)


def _mean(quarters: list[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the mean of four arrays, rounded to the nearest whole number where the dtype has no others."""
    if dtype == np.float32:
        return np.asarray(sum(quarters[1:], quarters[0]) * np.float32(0.25))
    total = quarters[0].astype(np.int32)
    for part in quarters[1:]:
        total += part
    return np.asarray((total + 2) >> 2, dtype)
