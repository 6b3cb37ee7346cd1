"""Sample of an image's pixels from windows spread over it, so that little of a large file is read."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.datasets.check.image_gate.expectation import BandLevel
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.values import ValueTally
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.validity import MaskedBands, Pixels

_WINDOWS, _SIDE = 4, 128
"""Windows along each side of the image, and the side of a window in pixels: at most 262,144 pixels."""


def sample_image(
    header: RasterHeader, bands: Sequence[int], limits: tuple[float, float], nodata: float | None = None
) -> tuple[ValueTally, tuple[BandLevel, ...]]:
    """Return the values of an image's sample, and the level of each band; no levels where no pixel has data.

    Parameters
    ----------
    header : RasterHeader
    bands : sequence of int
        Bands to read, counted from 1.
    limits : tuple of float
        Range that the values are compared with.
    nodata : float, optional
        The specified value of pixels without image.

    Raises
    ------
    DataError
        When pixels cannot be read.
    """
    tally = ValueTally(limits)
    pixels, total, squares = 0, np.zeros(len(bands)), np.zeros(len(bands))
    with open_raster(header.path) as source:
        masked = MaskedBands(source, bands, nodata)
        for window in spread_windows(header.grid.height, header.grid.width):
            values = _valid_pixels(masked.read(window))
            tally.add(values)
            values = values.astype(np.float64)
            pixels, total, squares = pixels + len(values), total + values.sum(0), squares + (values**2).sum(0)
    if not pixels:
        return tally, ()
    means = total / pixels
    # Var x = E[x²] - E[x]²; rounding may make it negative where all values are equal.
    deviations = np.sqrt(np.maximum(squares / pixels - means**2, 0))
    levels = [BandLevel(mean, std) for mean, std in zip(means.tolist(), deviations.tolist(), strict=True)]
    return tally, tuple(levels)


def translucent_share(header: RasterHeader, band: int) -> float:
    """Return the share of a sample of an alpha band that is neither transparent nor opaque.

    Raises
    ------
    DataError
        When pixels cannot be read.
    """
    pixels = translucent = 0
    with open_raster(header.path) as source:
        for window in spread_windows(header.grid.height, header.grid.width):
            alpha = source.read(band, window=window)
            opaque = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1
            pixels += alpha.size
            translucent += int(np.count_nonzero((alpha != 0) & (alpha != opaque)))
    return translucent / pixels


def spread_windows(height: int, width: int) -> Iterator[Window]:
    """Yield windows at even distances over a raster; all of a small one."""
    for top, rows in _spread(height):
        for left, columns in _spread(width):
            yield Window(left, top, columns, rows)


def _spread(size: int) -> list[tuple[int, int]]:
    """Return first pixel and length of each window along a side."""
    if size <= _WINDOWS * _SIDE:
        return [(0, size)]
    return [(round((index + 0.5) * size / _WINDOWS - _SIDE / 2), _SIDE) for index in range(_WINDOWS)]


def _valid_pixels(pixels: Pixels) -> NDArray[np.generic]:
    """Return the valid pixels, shape (pixels, bands)."""
    values = pixels.values.reshape(len(pixels.values), -1).T
    return values if pixels.invalid is None else values[~pixels.invalid.ravel()]
