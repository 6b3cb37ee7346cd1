"""Labels without the borders of objects, as benchmarks that leave those out publish them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetWriter
from scipy.ndimage import maximum_filter, minimum_filter

from mtlaerial.config.layers import Code, Colour
from mtlaerial.rasters.geotiff import open_raster, row_blocks

RADIUS = 3
"""Pixels nearer than this to another class are at its border (ISPRS: a disc of 3 pixels)."""
_DISC = np.hypot(*np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]) <= RADIUS


def erode_labels(labels: Path, target: DatasetWriter, border: Code | Colour) -> None:
    """Copy labels block by block, with the pixels at the borders of objects blackened.

    Parameters
    ----------
    labels : Path
        Raster of codes or colours.
    target : DatasetWriter
        Raster of the same size to write to.
    border : int or tuple
        Value of the pixels at borders.
    """
    value = np.atleast_1d(border)[:, None]
    with open_raster(labels) as source:
        for row, rows in row_blocks(source.height):
            first, last = max(0, row - RADIUS), min(source.height, row + rows + RADIUS)
            raw = source.read(window=((first, last), (0, source.width)))
            raw[:, at_border(raw)] = value
            target.write(raw[:, row - first :][:, :rows], window=((row, row + rows), (0, source.width)))


def at_border(raw: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which pixels of labels, shape (bands, rows, columns), have another class within ``RADIUS``."""
    codes = sum(band.astype(np.uint32) << np.uint32(8 * number) for number, band in enumerate(raw))
    lowest, highest = (extreme(codes, footprint=_DISC, mode="nearest") for extreme in (minimum_filter, maximum_filter))
    return np.asarray(lowest != highest)
