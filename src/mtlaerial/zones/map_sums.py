"""Classes and heights of maps within polygons, by exactextract.

https://isciences.github.io/exactextract: a pixel counts by the share of it that lies within a polygon.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import rasterio
from exactextract import exact_extract
from exactextract.raster import RasterSource
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.maps.map_folder import HEIGHTS, MapFolder
from mtlaerial.rasters.geotiff import open_raster

_MEASURES = {"mean": "mean", "median": "median", "quantile(q=0.9)": "quantile_90", "max": "max"}
"""Operations of exactextract for the measures of heights, and their columns."""
_PIXELS = 4_000_000
"""Pixels of a part of a polygon that are in memory at once."""
_CACHE = 128 * 2**20
"""GDAL's block cache in bytes."""
_STEPS = 100
"""Heights are of whole hundredths, of which exactextract holds each different one of a polygon."""


@dataclass(frozen=True)
class MapSums:
    """Classes and heights of polygons.

    Attributes
    ----------
    cells : array of float64, shape (polygons, classes)
        Pixels of each class.
    heights : array of float64, shape (polygons, 4), in the unit of the map
        The measures of :mod:`mtlaerial.zones.table`; NaN without a height.
    """

    cells: NDArray[np.float64]
    heights: NDArray[np.float64]

    @classmethod
    def empty(cls, polygons: int, classes: int) -> "MapSums":
        """Return those of polygons without a pixel."""
        return cls(np.zeros((polygons, classes)), np.full((polygons, len(_MEASURES)), np.nan))


class Batch(NamedTuple):
    """Polygons that are neighbours: their numbers in the layer, and WKB of valid polygons in the CRS of the maps."""

    numbers: NDArray[np.intp]
    polygons: list[bytes]


class _StoredMap(RasterSource):  # type: ignore[misc]  # the package has no types
    """A layer of maps, as exactextract reads it."""

    def __init__(self, source: rasterio.DatasetReader) -> None:
        super().__init__()
        self.source = source

    def res(self) -> tuple[float, float]:
        """Return width and height of a pixel."""
        height, width = self.source.transform.e, self.source.transform.a
        return width, -height

    def extent(self) -> tuple[float, float, float, float]:
        """Return west, south, east and north."""
        bounds = self.source.bounds
        return bounds.left, bounds.bottom, bounds.right, bounds.top

    def srs_wkt(self) -> str:
        """Return the CRS, which is that of the polygons."""
        return str(self.source.crs.to_wkt())

    def nodata_value(self) -> float | int | None:
        """Return the value of pixels without one."""
        return None if self.source.nodata is None else int(self.source.nodata)

    def read_window(self, column: int, row: int, columns: int, rows: int) -> NDArray[Any]:
        """Return the values of a window."""
        values: NDArray[Any] = self.source.read(1, window=Window(column, row, columns, rows))
        return values


class _Heights(_StoredMap):
    """Heights in hundredths of their unit; those below 0 are noise of the network around the ground, and become 0."""

    def nodata_value(self) -> None:
        """Return that NaN alone is no value."""

    def read_window(self, column: int, row: int, columns: int, rows: int) -> NDArray[np.float64]:
        """Return the heights of a window, NaN without one."""
        stored = super().read_window(column, row, columns, rows)
        # As float64: of whole numbers exactextract (0.3) cuts off the decimals of quantiles.
        heights: NDArray[np.float64] = np.rint(
            np.maximum(stored.astype(np.float64) * self.source.scales[0] * _STEPS, 0)
        )
        nodata = self.source.nodata
        if nodata is not None and not np.isnan(nodata):
            heights[stored == nodata] = np.nan
        return heights


def sum_batch(folder: MapFolder, batch: Batch) -> MapSums:
    """Return classes and heights of polygons from maps on a north-up grid.

    Raises
    ------
    DataError
        When a map cannot be read.
    """
    sums = MapSums.empty(len(batch.polygons), len(folder.classes))
    with rasterio.Env(GDAL_CACHEMAX=_CACHE):
        with open_raster(folder.class_map) as source:
            _add_cells(sums.cells, _table(_StoredMap(source), batch, ["unique", "frac", "count"]))
        if path := folder.layer(HEIGHTS):
            with open_raster(path) as source:
                table = _table(_Heights(source), batch, list(_MEASURES))
                sums.heights[:] = table[list(_MEASURES.values())].to_numpy(np.float64, na_value=np.nan) / _STEPS
    return sums


def _table(source: _StoredMap, batch: Batch, operations: list[str]) -> Any:
    from geopandas import GeoDataFrame, GeoSeries

    frame = GeoDataFrame(geometry=GeoSeries.from_wkb(batch.polygons, crs=source.srs_wkt()))
    return exact_extract([source], frame, operations, output="pandas", max_cells_in_memory=_PIXELS)


def _add_cells(cells: NDArray[np.float64], table: Any) -> None:
    """Add the pixels of each class; exactextract lists the classes that a polygon has, and their shares."""
    for row, (codes, shares, count) in enumerate(zip(table["unique"], table["frac"], table["count"], strict=True)):
        known = np.asarray(codes) < cells.shape[1]
        cells[row, np.asarray(codes, dtype=np.intp)[known]] = np.asarray(shares)[known] * count
