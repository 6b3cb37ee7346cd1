"""Rasters: their grids, opening them with errors a user understands, and writing them whole or not at all."""

import errno
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from mtlaerial.errors import DataError


@dataclass(frozen=True)
class Grid:
    """Where a raster's pixels lie: CRS, transform from (column, row) to coordinates, and size in pixels."""

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, source: rasterio.DatasetReader) -> "Grid":
        """Return the grid of an open raster."""
        return cls(source.crs, source.transform, source.height, source.width)

    @property
    def georeferenced(self) -> bool:
        """False where the file carries neither CRS nor world file."""
        return self.transform != Affine.identity()

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Height and width of a pixel, in units of the CRS."""
        return abs(self.transform.e), abs(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return min(west, east), min(south, north), max(west, east), max(south, north)

    def window(self, row: int, column: int, height: int, width: int) -> "Grid":
        """Return the grid of a part; it may reach outside."""
        return Grid(self.crs, self.transform @ Affine.translation(column, row), height, width)

    def to(self, other: "Grid") -> Affine:
        """Return the map from this grid's (column, row) to another's; both in the same CRS."""
        mapping: Affine = ~other.transform @ self.transform
        return mapping

    def covering(self, other: "Grid") -> tuple[int, int, int, int]:
        """Return row, column, height, width of the least window of this grid that covers another.

        Cells that the other grid touches by less than a thousandth are left out: two rasters with the same bounds
        differ by rounding.
        """
        mapping = other.to(self)
        left, top = mapping @ (0, 0)
        right, bottom = mapping @ (other.width, other.height)
        row, column = math.floor(top + 1e-3), math.floor(left + 1e-3)
        return row, column, max(1, math.ceil(bottom - 1e-3) - row), max(1, math.ceil(right - 1e-3) - column)


@contextmanager
def open_raster(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a raster for reading.

    Raises
    ------
    DataError
        When it is missing, a directory, or not a readable raster; also when reading from it fails later.
    """
    if path.is_dir():
        raise DataError(path, "a directory", "a raster file", "Check the path.")
    if not path.exists():
        raise DataError(path, "no file", "a raster file", "Check the path.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path)
    except RasterioError as error:
        raise DataError(path, _reason(error), "a raster that GDAL reads", "Get the file anew.") from None
    with source, reading(path):
        yield source


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Blame a raster for what goes wrong in the block; for reading while another raster is written.

    Raises
    ------
    DataError
        When its pixels cannot be read.
    """
    try:
        yield
    except RasterioError as error:
        remedy = "The file is truncated or damaged: get it anew."
        raise DataError(path, _reason(error), "readable pixels", remedy) from None


def _reason(error: Exception) -> str:
    """Return what GDAL said, from the deepest cause, on one line."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return " ".join(str(cause).split()) or type(cause).__name__


def partial_path(path: Path) -> Path:
    """Return where a file is written before it gets its final name: beside it, hidden, with its suffix."""
    return path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file gets its final name when the block ends well, else it is removed.

    Raises
    ------
    DataError
        When the folder cannot be written or the disk is full.
    """
    partial = partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except (OSError, RasterioError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _reason(error)
        remedy = "Free space, or choose another folder."
        raise DataError(path, reason, "a place to write to", remedy) from error
    finally:
        discard(partial)


def discard(path: Path) -> None:
    """Remove a file if there is one; also where there cannot be one."""
    with suppress(OSError):
        path.unlink()


@contextmanager
def create_raster(path: Path, grid: Grid, **profile: Any) -> Iterator[rasterio.io.DatasetWriter]:
    """Create a GeoTIFF that appears under its name only when it is complete.

    Parameters
    ----------
    path : Path
        Its final name.
    grid : Grid
        Its pixels' places.
    **profile
        GDAL's creation options: ``count``, ``dtype``, ``nodata``, ``compress``, …
    """
    with writing(path) as partial:
        options = {"BIGTIFF": "IF_SAFER", **profile}
        placed = {"transform": grid.transform} if grid.georeferenced else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(
                partial,
                "w",
                driver="GTiff",
                height=grid.height,
                width=grid.width,
                crs=grid.crs,
                **placed,
                **options,
            ) as target:
                yield target
        _check_complete(partial)


def _check_complete(path: Path) -> None:
    """Read the last pixel back: GDAL reports a full disk on closing only as a log message."""
    try:
        with open_raster(path) as source:
            source.read(1, window=((source.height - 1, source.height), (source.width - 1, source.width)))
    except DataError as error:
        raise OSError(errno.ENOSPC, f"an incomplete file, as on a full disk ({error.found})") from None


PREPARED = {"tiled": False, "interleave": "pixel", "compress": None, "@WRITE_EMPTY_TILES_SYNCHRONOUSLY": "YES"}
"""The layout of prepared tiles: uncompressed contiguous strips, pixel-interleaved, so that they can be mapped. Strips
of only zeros or no-data too are written in their turn, not at the end."""


def map_raster(path: Path) -> NDArray[Any]:
    """Map a prepared tile into memory, read-only.

    Returns
    -------
    array, shape (rows, columns) or (rows, columns, bands)
    """
    import tifffile

    try:
        return np.asarray(tifffile.memmap(path, mode="r"))
    except (OSError, ValueError) as error:
        remedy = "Prepare the tile again."
        raise DataError(path, str(error), "an uncompressed GeoTIFF in contiguous strips", remedy) from None


def without_data(pixels: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Tell which pixels, of shape (…, bands), have the no-data value in all bands."""
    if nodata is None:
        return np.zeros(pixels.shape[:-1], np.bool_)
    return np.asarray((np.isnan(pixels) if np.isnan(nodata) else pixels == nodata).all(axis=-1))


def row_blocks(height: int, rows: int = 512) -> Iterator[tuple[int, int]]:
    """Yield (first row, number of rows) of the blocks a raster is streamed in."""
    for row in range(0, height, rows):
        yield row, min(rows, height - row)
