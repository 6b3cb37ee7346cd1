"""The image of a tile: its file's form, its place and its pixels."""

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

_LITTLE = 0.02
"""Share of the range that even a dark image uses more of; reflectances in 0-1 taken for bytes do not."""


def check_image(dataset: Dataset, tile: str, findings: Findings) -> tuple[ImageFacts | None, ImagePlace | None]:
    """Check the image of a tile; its place is None where layers cannot be compared with it."""
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
        facts = _placed_facts(dataset, place, dtypes[0], count)
        with findings.collecting():
            pixels = _read(dataset, path, bands, window)
            pixels.judge(dataset, path, dataset.spec.split_of(tile), findings)
            facts = facts.model_copy(update=pixels.facts())
        return facts, place if comparable else None
    return None, None


def _check_form(dataset: Dataset, path: Path, dtypes: tuple[str, ...], findings: Findings) -> list[int]:
    """Check bands and dtype; return the bands to read: those specified, or all where some of them are absent."""
    spec, count = dataset.spec.image, len(dtypes)
    wanted = [band for band in spec.bands if band <= count]
    if len(wanted) < len(spec.bands):
        expected = f"the bands {', '.join(map(str, spec.bands))}"
        findings.error(path, f"{count} band{'s' if count > 1 else ''}", expected, "Correct image.bands, or the file.")
        wanted = list(range(1, count + 1))
    if any(dtypes[band - 1].startswith("complex") for band in wanted):
        findings.error(path, f"{dtypes[0]} values", "real numbers", "Convert the image to a real dtype.")
    if len({dtypes[band - 1] for band in wanted}) > 1:
        found = f"bands of different dtypes ({', '.join(dtypes)})"
        findings.error(path, found, "one dtype", "Convert the bands to one dtype.")
    return wanted


def _placed_facts(dataset: Dataset, place: ImagePlace, dtype: str, count: int) -> ImageFacts:
    grid, placed = place.grid, place.georeferenced
    metric = placed and not (grid.crs and grid.crs.is_geographic)
    return ImageFacts(
        size=(grid.height, grid.width),
        gsd=metres_per_pixel(grid)[1] if metric else dataset.spec.gsd,
        crs=grid.crs.to_string() if grid.crs else None,
        bounds=grid.bounds if placed else None,
        dtype=dtype,
        bands=count,
    )


def _read(dataset: Dataset, path: Path, bands: list[int], window: Window) -> "_Pixels":
    with open_raster(path) as source:
        nodata = dataset.spec.image.nodata if dataset.spec.image.nodata is not None else source.nodata
        pixels = _Pixels(nodata, dataset.spec.image.range)
        for block in read_blocks(source, bands, window):
            pixels.add(block)
    return pixels


def read_blocks(source: rasterio.DatasetReader, bands: list[int], window: Window) -> Iterator[NDArray[Any]]:
    """Yield the values of a window in blocks of rows, each of shape (bands, rows, columns)."""
    for top, rows in row_blocks(window.height):
        yield source.read(bands, window=Window(window.col_off, window.row_off + top, window.width, rows))


@dataclass
class _Pixels:
    """What is gathered while the pixels stream by."""

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
        # Comparing integers with an integer is several times faster, and never rounds.
        nodata = int(self.nodata) if block.dtype.kind in "ui" and self.nodata.is_integer() else self.nodata
        return np.asarray((block == nodata).all(axis=0))

    def _add_finite(self, values: NDArray[Any]) -> None:
        low, high = float(values.min()), float(values.max())
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        if low < self.range[0] or high > self.range[1]:
            self.outside += int(np.count_nonzero((values < self.range[0]) | (values > self.range[1])))

    def judge(self, dataset: Dataset, path: Path, split: str, findings: Findings) -> None:
        """Add what is wrong with the values."""
        if self.absent == self.pixels:
            findings.error(path, "no pixel with data", "an image", f"Take the tile out of splits.{split}.")
            return
        if self.infinite:
            found = f"{self.infinite} values that are NaN or infinite ({percent(self.infinite / self.values)})"
            remedy = "Fill them, or set image.nodata where all bands of a pixel have none."
            findings.error(path, found, "finite values", remedy)
        if self.minimum <= self.maximum:
            self._judge_finite(path, findings)

    def _judge_finite(self, path: Path, findings: Findings) -> None:
        low, high = self.range
        if self.outside:
            found = f"{percent(self.outside / self.values)} of the values outside {low:g} to {high:g}"
            found += f" (they reach from {self.minimum:g} to {self.maximum:g})"
            findings.warning(
                path, found, "values in image.range", "Correct image.range, which the network sees as -1 to 1."
            )
        if self.minimum == self.maximum:
            found = f"the value {self.minimum:g} in every pixel and band"
            findings.warning(path, found, "an image with content", "Check the file.")
        elif self.maximum - self.minimum < _LITTLE * (high - low):
            found = f"values from {self.minimum:g} to {self.maximum:g} only"
            remedy = "Correct image.range, which the network sees as -1 to 1."
            findings.warning(path, found, f"values that make use of {low:g} to {high:g}", remedy)

    def facts(self) -> dict[str, Any]:
        """Return the fields of :class:`ImageFacts` that come from pixels."""
        finite = self.minimum <= self.maximum
        return {
            "nodata": self.absent / self.pixels,
            "minimum": self.minimum if finite else None,
            "maximum": self.maximum if finite else None,
            "digest": self.digest.hexdigest(),
        }
