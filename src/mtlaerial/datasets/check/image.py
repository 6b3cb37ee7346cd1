"""Checks of a tile's image: bands and dtype, georeference, pixel values."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.check.image_gate.bands import judge_bands
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.gate import judge_alpha_values
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.values import ValueTally, judge_range
from mtlaerial.datasets.check.place import ImagePlace, check_corner, check_image_place
from mtlaerial.datasets.check.report import ImageFacts
from mtlaerial.datasets.tile_windows import image_window
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.ground_size import ground_pixel_size


def check_image(dataset: Dataset, tile: str, findings: Findings) -> tuple[ImageFacts | None, ImagePlace | None]:
    """Check the image of a tile; the place returned is None if layers cannot be compared with it."""
    path = dataset.files("image", tile)[0]
    with findings.collecting():
        header, expected = RasterHeader.read(path), ImageExpectation.of_specification(dataset.spec)
        readable = judge_bands(header, expected, findings)
        bands = list(expected.bands) if readable else [1]  # enough to find damaged pixels
        comparable = check_image_place(dataset, header, expected, findings)
        if dataset.spec.footprints and not comparable:  # which have no place in the file then
            return None, None
        _, row, column, grid = image_window(dataset, tile)
        place = ImagePlace(grid, header.grid.georeferenced and comparable)
        if place.georeferenced:
            check_corner(dataset, tile, path, grid, findings)
        window = Window(column, row, grid.width, grid.height)
        facts = _georeference_facts(dataset, place, header)
        # Nested, so that unreadable pixels do not discard the place: layers can still be compared with it.
        with findings.collecting():
            pixels = _read(dataset, path, bands, window)
            pixels.judge(dataset, path, dataset.spec.split_of(tile), findings)
            judge_alpha_values(header, expected, findings)
            judge_range(path, pixels.tally, header.dtypes[bands[0] - 1], expected, findings)
            facts = facts.model_copy(update=pixels.facts())
        return facts, place if comparable else None
    return None, None


def _georeference_facts(dataset: Dataset, place: ImagePlace, header: RasterHeader) -> ImageFacts:
    """Return the facts that need no pixels."""
    grid, gsd = place.grid, dataset.spec.gsd
    if place.georeferenced and (grid.crs is None or grid.crs.is_projected):
        gsd = ground_pixel_size(grid)[1]
    return ImageFacts(
        size=(grid.height, grid.width),
        gsd=gsd,
        crs=grid.crs.to_string() if grid.crs else None,
        bounds=grid.bounds if place.georeferenced else None,
        dtype=header.dtypes[0],
        bands=header.count,
    )


def _read(dataset: Dataset, path: Path, bands: list[int], window: Window) -> "_Pixels":
    with open_raster(path) as source:
        nodata = dataset.spec.image.nodata if dataset.spec.image.nodata is not None else source.nodata
        pixels = _Pixels(nodata, ValueTally(dataset.spec.image.range))
        for block in read_blocks(source, bands, window):
            pixels.add(block)
    return pixels


def read_blocks(source: rasterio.DatasetReader, bands: list[int], window: Window) -> Iterator[NDArray[Any]]:
    """Yield the values of a window in blocks of rows, of shape (bands, rows, columns)."""
    for top, rows in row_blocks(window.height):
        yield source.read(bands, window=Window(window.col_off, window.row_off + top, window.width, rows))


@dataclass
class _Pixels:
    """Statistics of pixels, accumulated block by block."""

    nodata: float | None
    tally: ValueTally
    pixels: int = 0
    absent: int = 0
    """Pixels that are no-data in all bands."""
    values: int = 0
    infinite: int = 0
    """Values that are NaN or infinite."""
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, block: NDArray[Any]) -> None:
        """Add a block of shape (bands, rows, columns)."""
        self.digest.update(f"{block.dtype} {block.shape}".encode())
        self.digest.update(np.ascontiguousarray(block).data)
        self.pixels += block[0].size
        absent = self._absent(block)
        values = block[:, ~absent] if absent.any() else block
        self.absent += int(np.count_nonzero(absent))
        self.values += values.size
        if values.dtype.kind in "fc":
            finite = np.isfinite(values)
            self.infinite += finite.size - int(np.count_nonzero(finite))
            values = values[finite]
        if values.dtype.kind != "c":
            self.tally.add(values)

    def _absent(self, block: NDArray[Any]) -> NDArray[np.bool_]:
        if self.nodata is None:
            return np.zeros((), dtype=np.bool_)
        if np.isnan(self.nodata):
            return np.asarray(np.isnan(block).all(axis=0))
        # Comparing integers with an integer is several times faster than with a float, and exact.
        nodata = int(self.nodata) if block.dtype.kind in "ui" and self.nodata.is_integer() else self.nodata
        return np.asarray((block == nodata).all(axis=0))

    def judge(self, dataset: Dataset, path: Path, split: str, findings: Findings) -> None:
        """Add findings about the values."""
        if self.absent == self.pixels:
            findings.error(path, "no pixel with data", "an image", f"Take the tile out of splits.{split}.")
            return
        if self.infinite:
            observed = f"{self.infinite} values that are NaN or infinite ({percent(self.infinite / self.values)})"
            remedy = "Fill them, or set image.nodata where all bands of a pixel have none."
            findings.error(path, observed, "finite values", remedy)
        if self.tally.values and self.tally.minimum == self.tally.maximum:
            observed = f"the value {self.tally.minimum:g} in every pixel and band"
            findings.warning(path, observed, "an image with content", "Check the file.")

    def facts(self) -> dict[str, Any]:
        """Return the fields of :class:`ImageFacts` that come from pixels."""
        facts: dict[str, Any] = {"nodata": self.absent / self.pixels, "digest": self.digest.hexdigest()}
        if self.tally.values:
            facts |= {"minimum": self.tally.minimum, "maximum": self.tally.maximum}
        return facts
