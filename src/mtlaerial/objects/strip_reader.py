"""Reader of a region's strips: classes, heights, probabilities and violations from the files of maps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import IGNORED
from mtlaerial.config.consistency import ConsistencyRule
from mtlaerial.errors import DataError
from mtlaerial.maps.map_folder import HEIGHTS, PROBABILITIES, MapFolder
from mtlaerial.objects.region import Place, Region, projection_of
from mtlaerial.objects.strip import NO_CLASS, NO_VALUE, PER_METRE, PER_UNIT, Strip
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, same_projection
from mtlaerial.scoring.consistency import violation_map
from mtlaerial.scoring.nearest_cells import NearestCells

BLOCK_PIXELS = 2**22
"""Pixels of a strip, at most, unless a row has more."""
_ROWS = 512
"""Rows of a strip, at most: those of a tile of the files."""


class _Layer(NamedTuple):
    """An open map, and its cells at the pixels of the map of classes; None where they are these pixels."""

    source: rasterio.DatasetReader
    cells: NearestCells | None

    def read(self, top: int, rows: int, bands: list[int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return some rows of the map of classes: values, shape (bands, rows, columns), and where there are some."""
        first, number = self.cells.window(top, rows) if self.cells else (top, rows)
        values = self.source.read(bands, window=Window(0, first, self.source.width, number))
        nodata = self.source.nodata
        present = np.isfinite(values)
        if nodata is not None and not np.isnan(nodata):
            present &= values != nodata
        if self.cells is None:
            return values, present
        taken = np.stack([self.cells.take(band, top, rows, 0) for band in values])
        there = np.stack([self.cells.take(band, top, rows, False) for band in present])
        return taken, there.astype(np.bool_)


class _OpenFolder(NamedTuple):
    """The open maps of a folder."""

    stack: ExitStack
    classes: _Layer
    heights: _Layer | None
    probabilities: _Layer | None


class StripReader:
    """Reader of a region's strips; it keeps those maps open that a strip crosses.

    Parameters
    ----------
    region : Region
    rules : mapping of class to ConsistencyRule
        Rules between tasks, by which violations are counted; none if empty.
    block : int
        Pixels of a strip, at most.
    """

    def __init__(self, region: Region, rules: Mapping[str, ConsistencyRule], block: int = BLOCK_PIXELS) -> None:
        self.region, self.rules = region, rules
        self.rows = min(_ROWS, max(1, block // region.grid.width))
        self._open: dict[int, _OpenFolder] = {}
        self._has_probabilities = any(folder.layer(PROBABILITIES) for folder in region.folders)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for index in list(self._open):
            self._open.pop(index).stack.close()

    @property
    def strips(self) -> Sequence[tuple[int, int]]:
        """First row and number of rows of each strip."""
        return list(row_blocks(self.region.grid.height, self.rows))

    def read(self) -> Iterator[Strip]:
        """Yield the strips from north to south.

        Raises
        ------
        DataError
            When a map cannot be read, or has another CRS than that of the classes.
        """
        for top, rows in self.strips:
            yield self._strip(top, rows)

    def _strip(self, top: int, rows: int) -> Strip:
        shape = rows, self.region.grid.width
        probabilities = np.full(shape, NO_VALUE, dtype=np.int32) if self._has_probabilities else None
        violations = np.full(shape, IGNORED, dtype=np.uint8) if self.rules else None
        codes = np.full(shape, NO_CLASS, dtype=np.uint8)
        strip = Strip(top, codes, np.full(shape, NO_VALUE, dtype=np.int32), probabilities, violations)
        crossing = [i for i, place in enumerate(self.region.places) if _crosses(place, top, rows)]
        for index in set(self._open) - set(crossing):
            self._open.pop(index).stack.close()
        for index in reversed(crossing):  # the first one last, over the others
            if index not in self._open:
                self._open[index] = _opened(self.region.folders[index])
            self._paint(strip, self._open[index], self.region.places[index])
        if strip.violations is not None:
            heights = np.where(strip.heights == NO_VALUE, np.nan, strip.heights / PER_METRE).astype(np.float32)
            strip.violations[:] = violation_map(codes, heights, self.region.classes, self.rules)
        return strip

    def _paint(self, strip: Strip, maps: _OpenFolder, place: Place) -> None:
        """Write the pixels of one folder's maps into a strip."""
        first = max(place.row, strip.row)
        number = min(place.row + place.rows, strip.row + len(strip.codes)) - first
        inside = np.s_[first - strip.row : first - strip.row + number, place.column : place.column + place.columns]
        top = first - place.row
        (codes,), (present,) = maps.classes.read(top, number, [1])
        np.copyto(strip.codes[inside], codes, where=present)
        heights = np.full(codes.shape, NO_VALUE, dtype=np.int32)
        if maps.heights:
            heights = _heights(maps.heights, top, number)
        np.copyto(strip.heights[inside], heights, where=present)
        if strip.probabilities is not None:
            values = np.full(codes.shape, NO_VALUE, dtype=np.int32)
            if maps.probabilities:
                values = _probabilities(maps.probabilities, top, number, codes)
            np.copyto(strip.probabilities[inside], values, where=present)


def _heights(layer: _Layer, top: int, rows: int) -> NDArray[np.int32]:
    """Return heights in whole centimetres; those below 0 are noise of the network around the ground, and become 0."""
    (values,), (present,) = layer.read(top, rows, [1])
    steps = layer.source.scales[0] * PER_METRE
    if values.dtype != np.int16 or abs(steps - 1) > 1e-9:
        values = np.rint(np.where(present, values, 0).astype(np.float64) * steps)
    # In int16, NO_VALUE would wrap around to 0.
    return np.where(present, np.maximum(values.astype(np.int32), 0), np.int32(NO_VALUE))


def _probabilities(layer: _Layer, top: int, rows: int, codes: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the probability of each pixel's own class in millionths."""
    result = np.full(codes.shape, NO_VALUE, dtype=np.int32)
    for code in np.unique(codes):
        if code < layer.source.count:
            (values,), (present,) = layer.read(top, rows, [int(code) + 1])
            of_class = present & (codes == code)
            scaled = values[of_class].astype(np.float64) * layer.source.scales[0] * PER_UNIT
            result[of_class] = np.rint(scaled).astype(np.int32)
    return result


def _crosses(place: Place, top: int, rows: int) -> bool:
    return place.row < top + rows and top < place.row + place.rows


def _opened(folder: MapFolder) -> _OpenFolder:
    """Open the maps of a folder."""
    with ExitStack() as stack:
        classes = _Layer(stack.enter_context(open_raster(folder.class_map)), None)
        layers: list[_Layer | None] = []
        for name in (HEIGHTS, PROBABILITIES):
            path = folder.layer(name)
            source = stack.enter_context(open_raster(path)) if path else None
            layers.append(_Layer(source, _cells(source, folder)) if source else None)
        return _OpenFolder(stack.pop_all(), classes, *layers)


def _cells(source: rasterio.DatasetReader, folder: MapFolder) -> NearestCells | None:
    """Return the cells of another map at the pixels of the map of classes, whose CRS must be the same."""
    grid, expected = Grid.of(source), folder.grid
    if not same_projection(projection_of(grid), projection_of(expected)):
        remedy = "Map the orthophoto again."
        raise DataError(source.name, crs_name(grid.crs), f"{crs_name(expected.crs)}, as the classes have", remedy)
    same = (grid.height, grid.width) == (expected.height, expected.width) and grid.transform == expected.transform
    return None if same else NearestCells(grid, expected)
