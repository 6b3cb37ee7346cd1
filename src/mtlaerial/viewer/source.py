"""A raster that is shown: its file, its place on the map, and its pixels where the map looks at them."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform, transform_bounds
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.admission import Admitted, admit, opened
from mtlaerial.rasters.geotiff import reading
from mtlaerial.rasters.grid import Grid
from mtlaerial.viewer.mercator import LIMIT, MERCATOR, Bounds

MARGIN = 2
"""Pixels around a window that interpolation at its edges reads."""
DENSIFIED = 21
"""Points on each side of a rectangle by which its bounds in another CRS are found."""


@dataclass(frozen=True)
class Signature:
    """Size and time of a file, by which a change is told."""

    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "Signature":
        """Return the signature of a file."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Source:
    """A raster file on the map.

    Attributes
    ----------
    path : Path
    admitted : Admitted
        Format, and the other files that it reads; none lies outside the folder.
    signature : Signature
        Of the file when it was admitted.
    grid : Grid
        The file's own.
    crs : CRS
        Of the map's place: the file's, or that of the plane of maps without one.
    transform : Affine
        From (column, row) to ``crs``.
    bounds : tuple of float
        West, south, east, north in metres of Web Mercator.
    """

    path: Path
    admitted: Admitted
    signature: Signature
    grid: Grid
    crs: CRS
    transform: Affine
    bounds: Bounds

    @property
    def pixel(self) -> float:
        """Side of a pixel in metres of Web Mercator, as a mean over the raster."""
        west, south, east, north = self.bounds
        return math.sqrt((east - west) * (north - south) / (self.grid.width * self.grid.height))

    @contextmanager
    def open(self) -> Iterator[rasterio.DatasetReader]:
        """Open the file, which must be the one that was admitted.

        Raises
        ------
        DataError
        """
        try:
            unchanged = Signature.of(self.path) == self.signature
        except OSError:
            unchanged = False
        if not unchanged:
            remedy = "End `mtlaerial view`, and start it again."
            raise DataError(self.path, "another file than at the start", "an unchanged file", remedy)
        with reading(self.path), opened(self.path, self.admitted) as dataset:
            yield dataset

    def window(self, bounds: Bounds) -> Window | None:
        """Return the window that covers bounds in Web Mercator; None where none of them is on the raster."""
        shared = intersection(self.bounds, bounds)
        if shared is None:
            return None
        west, south, east, north = transform_bounds(MERCATOR, self.crs, *shared, densify_pts=DENSIFIED)
        corners = [~self.transform @ corner for corner in ((west, south), (west, north), (east, south), (east, north))]
        columns, rows = zip(*corners, strict=True)
        left, right = _span(columns, self.grid.width)
        top, bottom = _span(rows, self.grid.height)
        if right <= left or bottom <= top:
            return None
        return Window(left, top, right - left, bottom - top)

    def pixel_at(self, longitude: float, latitude: float) -> tuple[int, int] | None:
        """Return row and column of the pixel at a place in degrees; None where the raster has none."""
        xs, ys = transform("EPSG:4326", self.crs, [longitude], [latitude])
        column, row = (math.floor(value) for value in ~self.transform @ (xs[0], ys[0]))
        inside = 0 <= row < self.grid.height and 0 <= column < self.grid.width
        return (row, column) if inside else None


def place_source(path: Path, crs: CRS, to_crs: Affine, grid: Grid, admitted: Admitted) -> Source:
    """Return a source at its place.

    Raises
    ------
    DataError
        When its place is nowhere on the map.
    """
    corners = [to_crs @ (column, row) for column in (0, grid.width) for row in (0, grid.height)]
    xs, ys = zip(*corners, strict=True)
    with reading(path):
        bounds = transform_bounds(crs, MERCATOR, min(xs), min(ys), max(xs), max(ys), densify_pts=DENSIFIED)
    if not all(map(math.isfinite, bounds)) or max(map(abs, bounds)) > LIMIT:
        remedy = "Correct its CRS or its georeference: rio info FILE; rio edit-info --help."
        raise DataError(path, f"the place {min(xs):g}, {min(ys):g}", "a place between 85° south and north", remedy)
    return Source(path, admitted, Signature.of(path), grid, crs, to_crs, bounds)


def admit_inside(path: Path, folder: Path) -> Admitted:
    """Return what GDAL reads with a raster, all of it within a folder.

    Raises
    ------
    DataError
        When it is no raster, or it or what it reads lies elsewhere, by a symbolic link too.
    """
    require_inside(path, folder)
    try:
        admitted = admit(path)
    except OSError as error:
        raise DataError(path, str(error), "a readable file", "Check its permissions.") from None
    for file in admitted.files:
        require_inside(file, folder)
    return admitted


def require_inside(path: Path, folder: Path) -> None:
    """Refuse a file that lies outside a folder, by a symbolic link too.

    Raises
    ------
    DataError
    """
    if not path.resolve().is_relative_to(folder.resolve()):
        expected, remedy = f"a file in {folder}", "Copy it there; nothing outside that folder is read."
        raise DataError(path, f"the file {path.resolve()}", expected, remedy)


def intersection(first: Bounds, second: Bounds) -> Bounds | None:
    """Return what two rectangles share; None where they share no area.

    Examples
    --------
    >>> intersection((0, 0, 2, 2), (1, 1, 3, 3))
    (1, 1, 2, 2)
    """
    west, south = max(first[0], second[0]), max(first[1], second[1])
    east, north = min(first[2], second[2]), min(first[3], second[3])
    return (west, south, east, north) if west < east and south < north else None


def _span(values: Sequence[float], size: int) -> tuple[int, int]:
    """Return first and last pixel of a span along one side of a raster, with a margin."""
    first, last = math.floor(min(values)) - MARGIN, math.ceil(max(values)) + MARGIN
    return max(0, first), min(size, last)


def valid_where_any_band_is(stored: Any) -> Any:
    """Return pixels of an image, of which those are masked that no band has: a no-data value may be a colour's part.

    Parameters
    ----------
    stored : masked array, shape (bands, ...)
    """
    absent = np.ma.getmaskarray(stored).all(axis=0)
    return np.ma.masked_array(stored.data, np.broadcast_to(absent, stored.shape))


def unscaled(dataset: rasterio.DatasetReader, bands: Sequence[int], stored: Any) -> NDArray[np.float64]:
    """Return values of bands in their units, NaN where there is none.

    Parameters
    ----------
    dataset : DatasetReader
        Source of scales and offsets.
    bands : sequence of int
    stored : masked array, shape (bands, ...)
    """
    values = np.ma.filled(stored.astype(np.float64), np.nan)
    for place, band in enumerate(bands):
        values[place] = values[place] * dataset.scales[band - 1] + dataset.offsets[band - 1]
    return values
