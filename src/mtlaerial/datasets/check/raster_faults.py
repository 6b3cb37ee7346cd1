"""Checks of what a raster's file says of its pixels: absent blocks, and scale and offset tags of an image."""

from collections.abc import Sequence
from pathlib import Path

import rasterio
from rasterio.windows import Window

from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.decode import UNSCALED
from mtlaerial.rasters.sparse import absent_pixels
from mtlaerial.rasters.validity import MaskedBands


def check_absent_blocks(path: Path, bands: MaskedBands, window: Window, findings: Findings) -> None:
    """Check that a file holds all blocks of a window, or says by a no-data tag what the others mean."""
    absent = absent_pixels(bands, window)
    if absent:
        share = percent(absent / (window.height * window.width))
        observed = f"{share} of the pixels in blocks that the file lacks, and that read as 0"
        remedy = (
            "Get the file anew. If nothing was recorded there, tag it with a value that no pixel has: "
            f"rio edit-info --nodata VALUE {path.name}. If 0 is right, write it out: rio convert {path.name} NEW.tif."
        )
        findings.error(path, observed, "all blocks, or a no-data tag", remedy)


def check_scaling(path: Path, source: rasterio.DatasetReader, bands: Sequence[int], findings: Findings) -> None:
    """Check that an image's bands have no scale and offset tags, which are not applied."""
    for band in bands:
        scale, offset = source.scales[band - 1], source.offsets[band - 1]
        if (scale, offset) != UNSCALED:
            observed = f"a scale tag of {scale:g} and an offset tag of {offset:g} in band {band}"
            remedy = "They are not applied: give image.range in the file's own values."
            findings.warning(path, observed, "no such tags, or image.range in the file's values", remedy)
            return
