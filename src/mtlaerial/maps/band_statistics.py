"""Statistics of a layer's stored values, added up tile by tile."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.maps.layer import RasterLayer
from mtlaerial.maps.stored_values import present_mask


class BandStatistics:
    """Extremes, mean and standard deviation of each band, and of a layer of codes the pixels of each class."""

    def __init__(self, layer: RasterLayer) -> None:
        self._layer = layer
        bands = len(layer.bands)
        self._count, self._sum, self._squares = np.zeros(bands), np.zeros(bands), np.zeros(bands)
        self._low, self._high = np.full(bands, math.inf), np.full(bands, -math.inf)
        self._codes = np.zeros(256, np.int64)

    def add(self, tile: NDArray[Any]) -> None:
        """Add a tile of stored values, shape (bands, rows, columns)."""
        if self._layer.categories:
            self._codes += np.bincount(tile.ravel(), minlength=256)
            return
        for band, pixels in enumerate(tile):
            present = present_mask(pixels, self._layer)
            values = pixels if present.all() else pixels[present]
            if values.size:
                wide = values.astype(np.float64).ravel()
                self._count[band] += wide.size
                self._sum[band] += wide.sum()
                self._squares[band] += np.einsum("i,i", wide, wide)  # `@` starts threads, which cost more than they do
                self._low[band] = min(self._low[band], float(values.min()))
                self._high[band] = max(self._high[band], float(values.max()))

    @property
    def bands(self) -> list[dict[str, float]]:
        """``minimum``, ``maximum``, ``mean`` and ``stddev`` of each band's stored values; empty without any."""
        return [self._of(band) for band in range(len(self._count))]

    def _of(self, band: int) -> dict[str, float]:
        count = self._count[band]
        if not count:
            return {}
        mean = self._sum[band] / count
        variance = max(self._squares[band] / count - mean**2, 0.0)
        extremes = {"minimum": float(self._low[band]), "maximum": float(self._high[band])}
        return {**extremes, "mean": float(mean), "stddev": math.sqrt(variance)}

    @property
    def class_counts(self) -> dict[int, int]:
        """Pixels of each class of a layer of codes."""
        return {category.code: int(self._codes[category.code]) for category in self._layer.categories}
