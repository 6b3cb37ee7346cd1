"""Layers of a tile for figures: read at the figure's resolution, with extents in metres."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.windows import Window

from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size

SIDE = 800
"""Largest number of pixels read along a layer's longer side."""
Extent = tuple[float, float, float, float]
"""Left, right, bottom, top."""


@dataclass(frozen=True)
class Layer:
    """A decimated raster.

    Attributes
    ----------
    values : masked array, shape (bands, rows, columns)
        No-data is masked.
    extent : Extent
        In metres from the north-west corner of the tile; north is up.
    """

    values: np.ma.MaskedArray
    extent: Extent

    @property
    def empty(self) -> bool:
        """Whether there is no data at all, as in an absent layer."""
        return bool(np.ma.getmaskarray(self.values).all())

    @property
    def band(self) -> np.ma.MaskedArray:
        """The first band."""
        return np.ma.asarray(self.values[0])

    def scaled(self, factor: float) -> "Layer":
        """Return the layer with its values multiplied by a factor, such as the metres per unit."""
        return Layer(self.values * np.float32(factor), self.extent)

    def at(self, target: "Layer") -> np.ma.MaskedArray:
        """Return the first band at the pixels of another layer, nearest neighbour; masked outside."""
        rows, columns = target.values.shape[1:]
        height, width = self.values.shape[1:]
        left, right, bottom, top = self.extent
        x = target.extent[0] + (np.arange(columns) + 0.5) * (target.extent[1] - target.extent[0]) / columns
        y = target.extent[3] - (np.arange(rows) + 0.5) * (target.extent[3] - target.extent[2]) / rows
        column = np.floor((x - left) / (right - left) * width).astype(int)
        row = np.floor((top - y) / (top - bottom) * height).astype(int)
        outside = _outside(row, height)[:, None] | _outside(column, width)
        nearest = self.band[row.clip(0, height - 1)[:, None], column.clip(0, width - 1)]
        return np.ma.masked_where(outside, nearest)


def _outside(index: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    return (index < 0) | (index >= length)


@dataclass(frozen=True)
class Frame:
    """Coordinate system in metres with its origin at the north-west corner of a raster."""

    west: float
    north: float
    metres: float
    """Metres per unit of the CRS."""

    @classmethod
    def of(cls, grid: Grid, gsd: float | None) -> "Frame":
        """Return the frame of an image's grid: in metres of its CRS; without a projected one, with pixels of ``gsd``.

        The pixels of a tile may be others than those of a data set's first tile, whose size its statistics have.
        """
        west, _, _, north = grid.bounds
        projected = grid.crs is not None and grid.crs.is_projected
        metres = ground_pixel_size(grid)[1] if projected or not gsd else gsd
        return cls(west, north, metres / grid.pixel_size[1])

    def extent(self, grid: Grid) -> Extent:
        """Return a raster's extent in metres."""
        west, south, east, north = grid.bounds
        x, y = (np.array([west, east]) - self.west) * self.metres, (np.array([south, north]) - self.north) * self.metres
        return float(x[0]), float(x[1]), float(y[0]), float(y[1])


def read_grid(path: Path) -> Grid:
    """Return a raster's grid."""
    with open_raster(path) as source:
        return Grid.of(source)


def read_layer(
    path: Path,
    frame: Frame,
    side: int = SIDE,
    bands: Sequence[int] | None = None,
    resampling: Resampling = Resampling.nearest,
) -> Layer:
    """Read bands of a raster, by default all, decimated to at most ``side`` pixels along its longer side."""
    with open_raster(path) as source:
        grid, indexes = Grid.of(source), list(bands or source.indexes)
        step = max(1.0, max(grid.height, grid.width) / side)
        shape = len(indexes), max(1, round(grid.height / step)), max(1, round(grid.width / step))
        read = source.read(indexes, out_shape=shape, masked=True, resampling=resampling)
        values = np.ma.masked_invalid(read, copy=False)
    return Layer(values[:, ::-1] if _south_first(grid) else values, frame.extent(grid))


def read_part(path: Path, frame: Frame, extent: Extent) -> Layer:
    """Read the cells of a raster that an extent in metres touches, all of them."""
    with open_raster(path) as source:
        grid = Grid.of(source)
        west, east, south, north = frame.extent(grid)
        cell_width, cell_height = (east - west) / grid.width, (north - south) / grid.height
        first_column, end_column = _touched(
            (extent[0] - west) / cell_width, (extent[1] - west) / cell_width, grid.width
        )
        first_row, end_row = _touched((north - extent[3]) / cell_height, (north - extent[2]) / cell_height, grid.height)
        flip = _south_first(grid)
        stored_row = grid.height - end_row if flip else first_row
        window = Window(first_column, stored_row, end_column - first_column, end_row - first_row)
        values = np.ma.masked_invalid(source.read(window=window, masked=True))
    left, right = west + first_column * cell_width, west + end_column * cell_width
    bottom, top = north - end_row * cell_height, north - first_row * cell_height
    return Layer(values[:, ::-1] if flip else values, (left, right, bottom, top))


def _touched(begin: float, end: float, cells: int) -> tuple[int, int]:
    """Return the range of the cells between two positions, at least one; 1e-6 of a cell is rounding."""
    first = min(max(math.floor(begin + 1e-6), 0), cells - 1)
    return first, min(max(math.ceil(end - 1e-6), first + 1), cells)


def _south_first(grid: Grid) -> bool:
    """Tell whether rows run from south to north; without a georeference such a transform means nothing."""
    return grid.transform.e > 0 and grid.georeferenced


def as_picture(image: Layer) -> NDArray[np.uint8]:
    """Return an image as RGBA, shape (rows, columns, 4); no-data is transparent.

    Bytes are not changed; other values are stretched between their 2nd and 98th percentile.
    """
    bands = image.values[[0, 1, 2] if len(image.values) >= 3 else [0, 0, 0]]
    valid = ~np.ma.getmaskarray(bands).all(axis=0)
    colours = np.asarray(bands.data)
    if colours.dtype != np.uint8 and valid.any():
        low, high = np.percentile(colours[:, valid], (2, 98))
        colours = np.clip((colours - low) / max(high - low, 1e-9) * 255, 0, 255)
    return np.dstack([*colours.astype(np.uint8), np.where(valid, 255, 0).astype(np.uint8)])
