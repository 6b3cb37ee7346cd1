"""Sparse GeoTIFFs: blocks that the file does not hold, and that GDAL reads as 0 where there is no no-data tag."""

from collections.abc import Iterator
from pathlib import Path

from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.validity import MaskedBands


def require_all_blocks(bands: MaskedBands, window: Window) -> None:
    """Require that a file holds all blocks of a window, or that its no-data tag says what the others mean.

    Raises
    ------
    DataError
    """
    absent = absent_pixels(bands, window)
    if absent:
        name = Path(bands.source.name).name
        share = f"{100 * absent / (window.height * window.width):.3g} %"
        remedy = (
            "Get the file anew. If nothing was recorded there, tag it with a value that no pixel has: "
            f"rio edit-info --nodata VALUE {name}. If 0 is right, write it out: rio convert {name} NEW.tif."
        )
        observed = f"{share} of the pixels in blocks that the file lacks, and that read as 0"
        raise DataError(bands.source.name, observed, "all blocks, or a no-data tag", remedy)


def absent_pixels(bands: MaskedBands, window: Window) -> int:
    """Return the number of valid pixels of a window that lie in blocks which the file does not hold.

    Always 0 for other formats than GeoTIFF.
    """
    if bands.source.driver != "GTiff" or bands.tagged:  # with a no-data tag, absent blocks read as no data
        return 0
    pixels = 0
    for block in _absent_blocks(bands, window):
        invalid = bands.read(block).invalid
        pixels += block.height * block.width - (0 if invalid is None else int(invalid.sum()))
    return pixels


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
