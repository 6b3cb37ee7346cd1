"""Sparse rasters: parts that a file lacks, and that GDAL reads as 0 where no tag or mask says that they are no data."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import numpy as np
import rasterio
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.decoder_warnings import rewriting
from mtlaerial.rasters.validity import MaskedBands

_MOST_CELLS = 10**8
"""Largest grid of edges on which the files of a mosaic are drawn, as of 5,000 files at arbitrary places."""


def require_all_parts(bands: MaskedBands, window: Window) -> None:
    """Require that a file holds all of a window, or that a no-data tag says what the rest means.

    Raises
    ------
    DataError
    """
    absent = absent_pixels(bands, window)
    if absent:
        path, whole = rewriting(bands.source.name)
        share = f"{100 * absent / (window.height * window.width):.3g} %"
        remedy = (
            "Get the file anew. If nothing was recorded there, tag it with a value that no pixel has: "
            f"rio edit-info --nodata VALUE {path}. If 0 is right, write it out: rio convert {path} {whole}"
        )
        observed = f"{share} of the pixels in parts that the file lacks, and that read as 0"
        raise DataError(bands.source.name, observed, "all of it, or a no-data tag", remedy)


def absent_pixels(bands: MaskedBands, window: Window) -> int:
    """Return the number of valid pixels of a window that the file lacks.

    These are blocks of a GeoTIFF that were never written, and gaps between the files of a VRT; 0 for other formats.
    """
    if bands.tagged:  # what is absent reads as no data
        return 0
    if bands.source.driver == "GTiff":
        return sum(_count_valid(bands, block) for block in _absent_blocks(bands, window))
    if bands.source.driver == "VRT" and not bands.masked and bands.nodata != 0:
        return _gap_pixels(bands.source, bands.bands[0], window)
    return 0


def _count_valid(bands: MaskedBands, block: Window) -> int:
    invalid = bands.read(block).invalid
    return int(block.height * block.width) - (0 if invalid is None else int(invalid.sum()))


def _absent_blocks(bands: MaskedBands, window: Window) -> Iterator[Window]:
    """Yield the parts of a window in blocks that one of the bands lacks."""
    source = bands.source
    height, width = source.block_shapes[bands.bands[0] - 1]
    by_pixel = source.tags(ns="IMAGE_STRUCTURE").get("INTERLEAVE") == "PIXEL"
    bands_with_blocks = bands.bands[:1] if by_pixel else bands.bands
    for y in range(int(window.row_off) // height, -(-int(window.row_off + window.height) // height)):
        for x in range(int(window.col_off) // width, -(-int(window.col_off + window.width) // width)):
            offsets = [source.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band) for band in bands_with_blocks]
            if None in offsets:
                yield Window(x * width, y * height, width, height).intersection(window)


def _gap_pixels(source: rasterio.DatasetReader, band: int, window: Window) -> int:
    """Return the number of pixels of a window that no file of a VRT covers."""
    top, left = int(window.row_off), int(window.col_off)
    bottom, right = top + int(window.height), left + int(window.width)
    places = _places(source, band)
    if not places:  # a warped VRT, or one of another kind, whose sources have no places
        return 0
    # The window is cut at all edges of the files: each cell between them is covered or not as a whole.
    clipped = np.clip(places, (top, left, top, left), (bottom, right, bottom, right))
    rows = np.unique([top, bottom, *clipped[:, 0], *clipped[:, 2]])
    columns = np.unique([left, right, *clipped[:, 1], *clipped[:, 3]])
    if len(rows) * len(columns) > _MOST_CELLS:
        return 0
    covered = np.zeros((len(rows) - 1, len(columns) - 1), np.bool_)
    indices = zip(np.searchsorted(rows, clipped[:, [0, 2]]), np.searchsorted(columns, clipped[:, [1, 3]]), strict=True)
    for (first, last), (begin, end) in indices:
        covered[first:last, begin:end] = True
    return int((np.outer(np.diff(rows), np.diff(columns)) * ~covered).sum())


def _places(source: rasterio.DatasetReader, band: int) -> list[tuple[int, int, int, int]]:
    """Return top, left, bottom, right of each file of a VRT's band, in its pixels, rounded outwards."""
    root = ET.fromstring(source.tags(ns="xml:VRT")["xml:VRT"])
    places = []
    for place in root.iterfind(f"VRTRasterBand[@band='{band}']/*/DstRect"):
        left, top = float(place.get("xOff", 0)), float(place.get("yOff", 0))
        bottom, right = top + float(place.get("ySize", 0)), left + float(place.get("xSize", 0))
        places.append((math.floor(top), math.floor(left), math.ceil(bottom), math.ceil(right)))
    return places
