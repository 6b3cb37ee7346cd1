"""Checks of a tile's image: bands and dtype, georeference, pixel values."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window
from shapely import box

from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check.findings import Findings, percent
from mtlaerial.datasets.check.image_gate.bands import judge_bands
from mtlaerial.datasets.check.image_gate.expectation import ImageExpectation
from mtlaerial.datasets.check.image_gate.gate import judge_alpha_values
from mtlaerial.datasets.check.image_gate.header import RasterHeader
from mtlaerial.datasets.check.image_gate.values import ValueTally, judge_range
from mtlaerial.datasets.check.place import ImagePlace, check_corner, check_image_place
from mtlaerial.datasets.check.report import ImageFacts
from mtlaerial.datasets.decode import UNSCALED
from mtlaerial.datasets.tile_windows import footprint_polygon, footprints_file, image_window
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.rasters.sparse import require_all_parts
from mtlaerial.rasters.validity import MaskedBands, Pixels

_RECTANGLE = 0.999
"""Least share of its bounds that a footprint fills without a warning."""


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
        if dataset.spec.footprints:
            _check_rectangle(dataset, tile, findings)
        place = ImagePlace(grid, header.grid.georeferenced and comparable)
        if place.georeferenced:
            check_corner(dataset, tile, path, grid, findings)
        window = Window(column, row, grid.width, grid.height)
        facts = _georeference_facts(dataset, place, header)
        # Nested, so that unreadable pixels do not discard the place: layers can still be compared with it.
        with findings.collecting():
            pixels = _read(dataset, path, bands, window, findings)
            pixels.judge(dataset, path, dataset.split_of(tile), findings)
            judge_alpha_values(header, expected, findings)
            judge_range(header, pixels.tally, expected, findings)
            facts = facts.model_copy(update=pixels.facts())
        return facts, place if comparable else None
    return None, None


def _check_rectangle(dataset: Dataset, tile: str, findings: Findings) -> None:
    """Warn of a footprint that leaves a part of its bounds out, as the tile is cut by the bounds."""
    polygon = footprint_polygon(dataset, tile)
    share = polygon.area / box(*polygon.bounds).area
    if share < _RECTANGLE:
        observed = f"a polygon that leaves out {percent(1 - share)} of its bounds"
        remedy = "The tile is all that is within the bounds, truth outside the polygon too. Draw rectangles."
        findings.warning(footprints_file(dataset), observed, "a rectangle along the axes of the CRS", remedy)


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
        georeference_rejected=header.grid.georeferenced and not place.georeferenced,
        dtype=header.dtypes[0],
        bands=header.count,
    )


def _read(dataset: Dataset, path: Path, bands: list[int], window: Window, findings: Findings) -> "_Pixels":
    with open_raster(path) as source:
        _check_scaling(path, source, bands, findings)
        masked = MaskedBands(source, bands, dataset.spec.image.nodata)
        pixels = _Pixels(bands, ValueTally(dataset.spec.image.range))
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
    tally: ValueTally
    pixels: int = 0
    absent: int = 0
    """Pixels that are not image."""
    values: int = 0
    not_finite: int = 0
    """Pixels with infinite values, or with NaN in some bands."""
    minima: NDArray[np.float64] = field(default_factory=lambda: np.array(np.inf))
    """Smallest value of each band."""
    maxima: NDArray[np.float64] = field(default_factory=lambda: np.array(-np.inf))
    digest: Any = field(default_factory=hashlib.sha256)

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
            self.tally.add(values)
            values = values.reshape(len(values), -1)
            self.minima = np.minimum(self.minima, values.min(axis=1).astype(np.float64))
            self.maxima = np.maximum(self.maxima, values.max(axis=1).astype(np.float64))

    def _add_not_finite(self, values: NDArray[Any]) -> None:
        """Count unusual pixels among invalid ones, shape (bands, pixels); NaN in all bands is usual."""
        if values.dtype.kind in "fc":
            finite, nan = np.isfinite(values).all(axis=0), np.isnan(values).all(axis=0)
            self.not_finite += int(np.count_nonzero(~finite & ~nan))

    def judge(self, dataset: Dataset, path: Path, split: str, findings: Findings) -> None:
        """Add findings about the values."""
        if self.absent == self.pixels:
            findings.error(path, "no pixel with data", "an image", f"Take the tile out of splits.{split}.")
            return
        if self.not_finite:
            share = percent(self.not_finite / self.pixels)
            observed = f"{share} of the pixels with infinite values, or NaN in some bands"
            remedy = "They count as no image; check how the file was made."
            findings.warning(path, observed, "finite values", remedy)
        if self.tally.values:
            self._judge_constant(path, findings)

    def _judge_constant(self, path: Path, findings: Findings) -> None:
        if self.tally.minimum == self.tally.maximum:
            observed = f"the value {self.tally.minimum:g} in every pixel and band"
            findings.warning(path, observed, "an image with content", "Check the file.")
        elif constant := np.flatnonzero(self.minima == self.maxima).tolist():
            listed = ", ".join(f"{self.bands[index]} ({self.minima[index]:g})" for index in constant)
            observed = f"one value in every pixel of band {listed}"
            findings.warning(path, observed, "bands with content", "Check the file and image.bands.")

    def facts(self) -> dict[str, Any]:
        """Return the fields of :class:`ImageFacts` that come from pixels."""
        facts: dict[str, Any] = {"nodata": self.absent / self.pixels, "digest": self.digest.hexdigest()}
        if self.tally.values:
            facts |= {"minimum": self.tally.minimum, "maximum": self.tally.maximum}
        return facts
