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
from mtlaerial.datasets.check.place import ImagePlace, check_corner, check_image_place, metres_per_pixel
from mtlaerial.datasets.check.report import ImageFacts
from mtlaerial.datasets.tile_windows import image_window
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid

_MIN_RANGE_USED = 0.02
"""Share of the specified range that even a dark image exceeds; reflectances in 0-1 read as bytes do not."""


def check_image(dataset: Dataset, tile: str, findings: Findings) -> tuple[ImageFacts | None, ImagePlace | None]:
    """Check the image of a tile; the place returned is None if layers cannot be compared with it."""
    path = dataset.files("image", tile)[0]
    with findings.collecting():
        with open_raster(path) as source:
            file, dtypes, count = Grid.of(source), source.dtypes, source.count
        bands = _check_form(dataset, path, dtypes, findings)
        comparable = check_image_place(dataset, path, file, findings)
        _, row, column, grid = image_window(dataset, tile)
        place = ImagePlace(grid, file.georeferenced)
        if file.georeferenced:
            check_corner(dataset, tile, path, grid, findings)
        window = Window(column, row, grid.width, grid.height)
        facts = _georeference_facts(dataset, place, dtypes[0], count)
        # Nested, so that unreadable pixels do not discard the place: layers can still be compared with it.
        with findings.collecting():
            pixels = _read(dataset, path, bands, window)
            pixels.judge(dataset, path, dataset.spec.split_of(tile), findings)
            facts = facts.model_copy(update=pixels.facts())
        return facts, place if comparable else None
    return None, None


def _check_form(dataset: Dataset, path: Path, dtypes: tuple[str, ...], findings: Findings) -> list[int]:
    """Check bands and dtype; return the bands to read: the specified ones, or all if some of those do not exist."""
    spec, count = dataset.spec.image, len(dtypes)
    bands = [band for band in spec.bands if band <= count]
    if len(bands) < len(spec.bands):
        expected = f"the bands {', '.join(map(str, spec.bands))}"
        findings.error(path, f"{count} band{'s' if count > 1 else ''}", expected, "Correct image.bands, or the file.")
        bands = list(range(1, count + 1))
    if any(dtypes[band - 1].startswith("complex") for band in bands):
        findings.error(path, f"{dtypes[0]} values", "real numbers", "Convert the image to a real dtype.")
    if len({dtypes[band - 1] for band in bands}) > 1:
        observed = f"bands of different dtypes ({', '.join(dtypes)})"
        findings.error(path, observed, "one dtype", "Convert the bands to one dtype.")
    return bands


def _georeference_facts(dataset: Dataset, place: ImagePlace, dtype: str, count: int) -> ImageFacts:
    """Return the facts that need no pixels."""
    grid, gsd = place.grid, dataset.spec.gsd
    if place.georeferenced and not (grid.crs and grid.crs.is_geographic):
        gsd = metres_per_pixel(grid)[1]
    crs = grid.crs.to_string() if grid.crs else None
    bounds = grid.bounds if place.georeferenced else None
    return ImageFacts(size=(grid.height, grid.width), gsd=gsd, crs=crs, bounds=bounds, dtype=dtype, bands=count)


def _read(dataset: Dataset, path: Path, bands: list[int], window: Window) -> "_Pixels":
    with open_raster(path) as source:
        nodata = dataset.spec.image.nodata if dataset.spec.image.nodata is not None else source.nodata
        pixels = _Pixels(nodata, dataset.spec.image.range)
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
    range: tuple[float, float]
    pixels: int = 0
    absent: int = 0
    """Pixels that are no-data in all bands."""
    values: int = 0
    infinite: int = 0
    """Values that are NaN or infinite."""
    outside: int = 0
    """Finite values outside the range."""
    minimum: float = np.inf
    maximum: float = -np.inf
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
        if values.size and values.dtype.kind != "c":
            self._add_finite(values)

    def _absent(self, block: NDArray[Any]) -> NDArray[np.bool_]:
        if self.nodata is None:
            return np.zeros((), dtype=np.bool_)
        if np.isnan(self.nodata):
            return np.asarray(np.isnan(block).all(axis=0))
        # Comparing integers with an integer is several times faster than with a float, and exact.
        nodata = int(self.nodata) if block.dtype.kind in "ui" and self.nodata.is_integer() else self.nodata
        return np.asarray((block == nodata).all(axis=0))

    def _add_finite(self, values: NDArray[Any]) -> None:
        low, high = float(values.min()), float(values.max())
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        if low < self.range[0] or high > self.range[1]:
            self.outside += int(np.count_nonzero((values < self.range[0]) | (values > self.range[1])))

    def judge(self, dataset: Dataset, path: Path, split: str, findings: Findings) -> None:
        """Add findings about the values."""
        if self.absent == self.pixels:
            findings.error(path, "no pixel with data", "an image", f"Take the tile out of splits.{split}.")
            return
        if self.infinite:
            observed = f"{self.infinite} values that are NaN or infinite ({percent(self.infinite / self.values)})"
            remedy = "Fill them, or set image.nodata where all bands of a pixel have none."
            findings.error(path, observed, "finite values", remedy)
        if self.minimum <= self.maximum:  # else no value was finite
            self._judge_finite(path, findings)

    def _judge_finite(self, path: Path, findings: Findings) -> None:
        low, high = self.range
        if self.outside:
            observed = f"{percent(self.outside / self.values)} of the values outside {low:g} to {high:g}"
            observed += f" (they reach from {self.minimum:g} to {self.maximum:g})"
            remedy = "Correct image.range, which the network sees as -1 to 1."
            findings.warning(path, observed, "values in image.range", remedy)
        if self.minimum == self.maximum:
            observed = f"the value {self.minimum:g} in every pixel and band"
            findings.warning(path, observed, "an image with content", "Check the file.")
        elif self.maximum - self.minimum < _MIN_RANGE_USED * (high - low):
            observed = f"values from {self.minimum:g} to {self.maximum:g} only"
            remedy = "Correct image.range, which the network sees as -1 to 1."
            findings.warning(path, observed, f"values that make use of {low:g} to {high:g}", remedy)

    def facts(self) -> dict[str, Any]:
        """Return the fields of :class:`ImageFacts` that come from pixels."""
        facts: dict[str, Any] = {"nodata": self.absent / self.pixels, "digest": self.digest.hexdigest()}
        if self.minimum <= self.maximum:
            facts |= {"minimum": self.minimum, "maximum": self.maximum}
        return facts
