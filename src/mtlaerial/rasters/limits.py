"""Limits of what a raster file may declare: a file of a few kilobytes must not take the memory or days."""

import math
from pathlib import Path

import numpy as np
import rasterio

from mtlaerial.errors import DataError
from mtlaerial.rasters.decoder_warnings import rewriting

MOST_BANDS = 1_000
"""Most bands; hyperspectral images have some 500."""
LARGEST_BLOCK = 2**30
"""Largest block (a tile or a strip) in bytes, which GDAL decodes at once."""
MOST_VALUES = 10**9
"""Most values of a small file: a square of 18,000 pixels in three bands, which is checked in seconds."""
MOST_VALUES_OF_JPEG2000 = 10**8
"""The same for JPEG 2000, whose decoder holds a record for each block of the whole image."""
BYTES_PER_BYTE = 2_000
"""Most bytes of pixels for each byte of a larger raster. Deflate packs at most 1,032, an orthophoto up to 30."""


def require_bounded(source: rasterio.DatasetReader, path: Path, size: int) -> None:
    """Refuse a raster whose declared size is out of proportion to its file, and one that needs too much memory.

    Parameters
    ----------
    source : DatasetReader
    path : Path
        Its file, for messages.
    size : int
        Bytes of the files that hold its pixels.

    Raises
    ------
    DataError
    """
    old, new = rewriting(str(path))
    if source.count > MOST_BANDS:
        remedy = f"Write those of the image to a file of their own, e.g.: rio stack {old} --bidx 1,2,3 {new}"
        raise DataError(path, f"{source.count:,} bands", f"at most {MOST_BANDS:,}", remedy)
    largest = max(_block_bytes(source), key=lambda block: block[0], default=(0, 0, 0))
    if largest[0] > LARGEST_BLOCK:
        observed = f"blocks of {largest[1]:,} x {largest[2]:,} pixels, {largest[0] / 2**30:.3g} GB each"
        remedy = f"Write it in tiles where there is enough memory: rio convert {old} {new} --co tiled=true"
        raise DataError(path, observed, f"blocks of at most {LARGEST_BLOCK / 2**30:g} GB", remedy)
    bands = "1 band" if source.count == 1 else f"{source.count} bands"
    values = source.height * source.width * source.count
    most = MOST_VALUES_OF_JPEG2000 if source.driver == "JP2OpenJPEG" else MOST_VALUES
    if values > most and values * max(map(_itemsize, source.dtypes)) > BYTES_PER_BYTE * size:
        observed = f"{source.height:,} x {source.width:,} pixels of {bands} in {size:,} bytes"
        expected = f"at most {most:,} values, or a file of at least 1/{BYTES_PER_BYTE:,} of their size"
        remedy = "Almost all of it is empty or of one value: cut out the part with an image (rio clip --help)."
        raise DataError(path, observed, expected, remedy)


def _block_bytes(source: rasterio.DatasetReader) -> list[tuple[int, int, int]]:
    """Return bytes, rows and columns of the blocks that GDAL decodes at once; bands that share pixels share blocks."""
    by_pixel = source.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
    blocks = []
    for (rows, columns), dtype in zip(source.block_shapes, source.dtypes, strict=True):
        bands = source.count if by_pixel else 1
        size = math.prod((min(rows, source.height), min(columns, source.width), _itemsize(dtype), bands))
        blocks.append((size, rows, columns))
    return blocks


def _itemsize(dtype: str) -> int:
    """Return the bytes of a value; rasterio has a name of its own for a type that NumPy lacks."""
    return np.dtype("complex64" if dtype == "complex_int16" else dtype).itemsize
