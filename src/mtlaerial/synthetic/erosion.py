"""Eroded labels: object borders set to an ignored value, as benchmarks such as ISPRS publish them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetWriter
from scipy.ndimage import maximum_filter, minimum_filter

from mtlaerial.config.layers import Code, Colour
from mtlaerial.rasters.geotiff import open_raster, row_blocks

RADIUS = 3
"""Radius in pixels of the disc that borders are eroded by (ISPRS: 3)."""
_DISC = np.hypot(*np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]) <= RADIUS


def erode_labels(labels: Path, target: DatasetWriter, border: Code | Colour) -> None:
    """Copy labels block by block, with border pixels replaced.

    Parameters
    ----------
    labels : Path
        Raster of codes or colours.
    target : DatasetWriter
        Raster of the same size to write to.
    border : int or tuple
        Code or colour of border pixels.
    """
    value = np.atleast_1d(border)[:, None]
    with open_raster(labels) as source:
        for row, rows in row_blocks(source.height):
            # Blocks are read with a halo of RADIUS rows, so that their edges are no borders.
            first, last = max(0, row - RADIUS), min(source.height, row + rows + RADIUS)
            raw = source.read(window=((first, last), (0, source.width)))
            raw[:, at_border(raw)] = value
            target.write(raw[:, row - first :][:, :rows], window=((row, row + rows), (0, source.width)))


def at_border(raw: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the mask of labels, shape (bands, rows, columns), that have another class within ``RADIUS``."""
    codes = sum(band.astype(np.uint32) << np.uint32(8 * number) for number, band in enumerate(raw))
    # Minimum and maximum over the disc are equal only if all its codes are.
    lowest = minimum_filter(codes, footprint=_DISC, mode="nearest")
    highest = maximum_filter(codes, footprint=_DISC, mode="nearest")
    return np.asarray(lowest != highest)
