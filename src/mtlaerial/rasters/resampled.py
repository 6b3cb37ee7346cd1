"""Image on another grid than its file's, resampled by GDAL's warper as it is read."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform
from rasterio.windows import Window

from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.validity import Pixels

LARGEST_PART = 2**24
"""Most pixels of the file that are warped at once: 64 MB of bytes in three bands and a mask."""
_KERNEL = 3
"""Radius of the widest kernel (cubic, 2) in pixels of the coarser grid, and one more for rounding."""
_ALPHA = 100
"""Opacity of valid pixels while they are warped; every data type holds it."""
_SLIGHT = 1.1
"""Pixels of the file per pixel up to which kernels stay as they are: one that is a little wider shifts places."""
_EDGE_POINTS = 21
"""Points along each side of a window whose places in the file bound the part to read."""
_NO_CRS = CRS.from_epsg(32631)
"""CRS that both grids get for GDAL where the image has none: nothing is reprojected."""
_AWAY = Affine.translation(1000, 1000)
"""Shift of both grids there: GDAL takes the transform of a file without georeference for none."""


class ResampledImage:
    """An image on another grid. Memory is bounded by the window that is read, and ``LARGEST_PART``.

    Validity is resampled as GDAL does an alpha band: invalid pixels have no weight, and a pixel is valid if one of
    those that it is made of is. It is not left to a :class:`rasterio.vrt.WarpedVRT`, which takes each band that is
    tagged as alpha for opacity, drops the mask of a file where a no-data value is given too, and raises valid values
    that equal it by one.

    Parameters
    ----------
    image : ImageSource
    source : Grid
        The image's grid; its transform may rotate.
    grid : Grid
        The new grid, in the same CRS or another one.
    resampling : Resampling
    """

    def __init__(self, image: ImageSource, source: Grid, grid: Grid, resampling: Resampling) -> None:
        self.image, self.count, self.dtype = image, image.count, image.dtype
        self.source, self.grid, self.resampling = source, grid, resampling
        # The widths of kernels follow from these; GDAL would estimate them from each window anew.
        across, down = (1.0 if step < _SLIGHT else 1 / step for step in self._steps())
        self._scales = {"XSCALE": f"{across:.9g}", "YSCALE": f"{down:.9g}"}

    def read(self, window: Window) -> Pixels:
        """Read a window of the new grid."""
        rows, columns = int(window.height), int(window.width)
        values = np.zeros((self.count, rows, columns), self.dtype)
        invalid = np.ones((rows, columns), np.bool_)
        for part, needed in self._parts(window):
            top, left = int(part.row_off - window.row_off), int(part.col_off - window.col_off)
            place = slice(top, top + int(part.height)), slice(left, left + int(part.width))
            values[:, *place], invalid[place] = self._warped(part, needed)
        return Pixels(values, invalid if invalid.any() else None)

    def _parts(self, window: Window) -> Iterator[tuple[Window, Window]]:
        """Yield parts of a window, each with the window of the file that it needs; none that needs no pixel."""
        needed = self._needed(window)
        if needed is None:
            return
        rows, columns = int(window.height), int(window.width)
        if needed.width * needed.height <= LARGEST_PART or max(rows, columns) == 1:
            yield window, needed
            return
        for half in _halves(window):
            yield from self._parts(half)

    def _needed(self, window: Window) -> Window | None:
        """Return the window of the file that a window is made of; None outside of the file."""
        xs, ys = self._in_file(*_outline(window))
        finite = np.isfinite(xs) & np.isfinite(ys)
        if not finite.any():
            return None
        xs, ys = xs[finite], ys[finite]
        # Of a finer grid the kernel is as wide as its pixels; of a coarser one it spans the pixels of a new one.
        across = _KERNEL * max(1.0, float(np.ptp(xs)) / window.width)
        down = _KERNEL * max(1.0, float(np.ptp(ys)) / window.height)
        left, right = max(0, math.floor(xs.min() - across)), min(self.source.width, math.ceil(xs.max() + across))
        top, bottom = max(0, math.floor(ys.min() - down)), min(self.source.height, math.ceil(ys.max() + down))
        return Window(left, top, right - left, bottom - top) if left < right and top < bottom else None

    def _in_file(self, columns: NDArray[Any], rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the (column, row) in the file of points of the new grid."""
        points = _applied(self.grid.transform, columns, rows)
        if self.grid.crs is not None and self.source.crs is not None and self.grid.crs != self.source.crs:
            xs, ys = transform(self.grid.crs, self.source.crs, *points)
            points = np.array(xs), np.array(ys)
        return _applied(~self.source.transform, *points)

    def _steps(self) -> tuple[float, float]:
        """Return how many pixels of the file a step of a pixel along rows and along columns is, at the centre."""
        x, y = self.grid.width / 2, self.grid.height / 2
        columns, rows = self._in_file(np.array([x - 0.5, x + 0.5, x, x]), np.array([y, y, y - 0.5, y + 0.5]))
        steps = np.hypot(columns[1::2] - columns[::2], rows[1::2] - rows[::2])
        return float(steps[0]), float(steps[1])

    def _warped(self, part: Window, needed: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        values, invalid = self.image.read(needed)
        opacity = np.full((1, *values.shape[1:]), _ALPHA, values.dtype)
        if invalid is not None:
            values[:, invalid] = 0  # NaN would spread; without opacity it has no weight
            opacity[:, invalid] = 0
        warped = np.zeros((self.count + 1, int(part.height), int(part.width)), values.dtype)
        reproject(
            np.concatenate([values, opacity]),
            warped,
            src_transform=_placed(self.source, needed),
            src_crs=self.source.crs or _NO_CRS,
            dst_transform=_placed(self.grid, part),
            dst_crs=self.grid.crs or _NO_CRS,
            resampling=self.resampling,
            src_alpha=self.count + 1,
            dst_alpha=self.count + 1,
            tolerance=0,  # exact places, which do not depend on the window that is read
            SRC_ALPHA_MAX=str(_ALPHA),
            DST_ALPHA_MAX=str(_ALPHA),
            **self._scales,
        )
        return warped[:-1], np.asarray(warped[-1] == 0)


def _applied(affine: Affine, columns: NDArray[Any], rows: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points after an affine transform."""
    a, b, c, d, e, f = tuple(affine)[:6]
    return a * columns + b * rows + c, d * columns + e * rows + f


def _placed(grid: Grid, window: Window) -> Affine:
    """Return the transform of a window of a grid for GDAL."""
    moved: Affine = grid.transform @ Affine.translation(window.col_off, window.row_off)
    return moved if grid.crs else _AWAY @ moved


def _halves(window: Window) -> tuple[Window, Window]:
    """Return a window's halves along its longer side."""
    column, row, columns, rows = (int(value) for value in window.flatten())
    if columns >= rows:
        half = columns // 2
        return Window(column, row, half, rows), Window(column + half, row, columns - half, rows)
    half = rows // 2
    return Window(column, row, columns, half), Window(column, row + half, columns, rows - half)


def _outline(window: Window) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return columns and rows of points along the sides of a window, whose straight lines a projection bends."""
    along = np.linspace(0, 1, _EDGE_POINTS)
    zeros, ones = np.zeros_like(along), np.ones_like(along)
    across, down = np.concatenate([along, along, zeros, ones]), np.concatenate([zeros, ones, along, along])
    return window.col_off + across * window.width, window.row_off + down * window.height
