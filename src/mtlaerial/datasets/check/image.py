"""Checks of a tile's image: bands and dtype, georeference, pixel values."""

import hashlib
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
from mtlaerial.datasets.decode import UNSCALED
from mtlaerial.datasets.tile_windows import image_window
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.sparse import require_all_parts
from mtlaerial.rasters.validity import MaskedBands, Pixels

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
            pixels = _read(dataset, path, bands, window, findings)
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


def _read(dataset: Dataset, path: Path, bands: list[int], window: Window, findings: Findings) -> "_Pixels":
    with open_raster(path) as source:
        _check_scaling(path, source, bands, findings)
        masked = MaskedBands(source, bands, dataset.spec.image.nodata)
        pixels = _Pixels(bands, dataset.spec.image.range)
        for block in masked.blocks(window):
            pixels.add(block)
        with findings.collecting():
            require_all_parts(masked, window)
    return pixels


def _check_scaling(path: Path, source: rasterio.DatasetReader, bands: list[int], findings: Findings) -> None:
    """Check that the bands have no scale and offset tags, which are not applied."""
    for band in bands:
        scale, offset = source.scales[band - 1], source.offsets[band - 1]
        if (scale, offset) != UNSCALED:
            observed = f"a scale tag of {scale:g} and an offset tag of {offset:g} in band {band}"
            remedy = "They are not applied: give image.range in the file's own values."
            findings.warning(path, observed, "no such tags, or image.range in the file's values", remedy)
            return


@dataclass
class _Pixels:
    """Statistics of pixels, accumulated block by block."""

    bands: list[int]
    range: tuple[float, float]
    pixels: int = 0
    absent: int = 0
    """Pixels that are not image."""
    values: int = 0
    not_finite: int = 0
    """Pixels with infinite values, or with NaN in some bands."""
    outside: int = 0
    """Values outside the range."""
    minima: NDArray[np.float64] = field(default_factory=lambda: np.array(np.inf))
    """Smallest value of each band."""
    maxima: NDArray[np.float64] = field(default_factory=lambda: np.array(-np.inf))
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def minimum(self) -> float:
        """Smallest value."""
        return float(self.minima.min())

    @property
    def maximum(self) -> float:
        """Largest value."""
        return float(self.maxima.max())

    def add(self, block: Pixels) -> None:
        """Add a block of rows."""
        values, invalid = block
        self.digest.update(f"{values.dtype} {values.shape}".encode())
        self.digest.update(np.ascontiguousarray(values).data)
        self.pixels += values[0].size
        if invalid is not None:
            self.absent += int(np.count_nonzero(invalid))
            self._add_not_finite(values[:, invalid])
            values = values[:, ~invalid]
        self.values += values.size
        if values.size and values.dtype.kind != "c":
            self._add_valid(values.reshape(len(values), -1))

    def _add_not_finite(self, values: NDArray[Any]) -> None:
        """Count unusual pixels among invalid ones, shape (bands, pixels); NaN in all bands is usual."""
        if values.dtype.kind in "fc":
            finite, nan = np.isfinite(values).all(axis=0), np.isnan(values).all(axis=0)
            self.not_finite += int(np.count_nonzero(~finite & ~nan))

    def _add_valid(self, values: NDArray[Any]) -> None:
        """Add valid pixels, shape (bands, pixels)."""
        low, high = values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
        self.minima, self.maxima = np.minimum(self.minima, low), np.maximum(self.maxima, high)
        if low.min() < self.range[0] or high.max() > self.range[1]:
            self.outside += int(np.count_nonzero((values < self.range[0]) | (values > self.range[1])))

    def judge(self, dataset: Dataset, path: Path, split: str, findings: Findings) -> None:
        """Add findings about the values."""
        if self.absent == self.pixels:
            findings.error(path, "no pixel with data", "an image", f"Take the tile out of splits.{split}.")
            return
        if self.not_finite:
            share = percent(self.not_finite / self.pixels)
            observed = f"{self.not_finite} pixels ({share}) with infinite values, or NaN in some bands"
            remedy = "They count as no image; check how the file was made."
            findings.warning(path, observed, "finite values", remedy)
        if self.minimum <= self.maximum:  # else the values are complex
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
        elif constant := np.flatnonzero(self.minima == self.maxima).tolist():
            listed = ", ".join(f"{self.bands[index]} ({self.minima[index]:g})" for index in constant)
            observed = f"one value in every pixel of band {listed}"
            findings.warning(path, observed, "bands with content", "Check the file and image.bands.")
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
