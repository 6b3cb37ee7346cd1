"""GeoTIFFs: opened with errors that a user understands, mapped into memory, and written whole or not at all."""

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import writing


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
        raise DataError(path, deepest_cause(error), "a raster that GDAL reads", "Get the file anew.") from None
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
        raise DataError(path, deepest_cause(error), "readable pixels", remedy) from None


@contextmanager
def writing_raster(path: Path) -> Iterator[Path]:
    """Give a path for GDAL to write to, as :func:`mtlaerial.system.files.writing` does.

    Raises
    ------
    DataError
        When the folder cannot be written, the disk is full, or GDAL fails.
    """
    with writing(path) as partial:
        try:
            yield partial
        except RasterioError as error:
            raise OSError(errno.EIO, deepest_cause(error)) from error


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
    with writing_raster(path) as partial:
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
