"""GeoTIFFs: reading with clear errors, memory mapping, and atomic writing."""

import errno
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.rasters.admission import admit, opened, require_admitted
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import writing

GDAL_ERRORS = (RasterioError, CPLE_BaseError)
"""Errors of rasterio; the second, GDAL's own error, where it is asked for tags or colours of a damaged file."""

TEXT_ERRORS = (CRSError, UnicodeDecodeError)
"""Errors of rasterio where the CRS or tags of a file are damaged."""


@contextmanager
def open_raster(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open a raster for reading.

    Raises
    ------
    DataError
        When it is missing, a directory, or not a readable raster of an accepted format
        (:mod:`mtlaerial.rasters.formats`), or a VRT lacks files; also when reading fails within the block.
    """
    try:
        admitted = admit(path)
        source = opened(path, admitted)
    except GDAL_ERRORS as error:
        remedy = "Get the file anew."
        raise DataError(path, deepest_cause(error), "a raster that GDAL reads", remedy) from None
    except TEXT_ERRORS:
        raise _text_error(path) from None
    except OSError as error:
        raise DataError(path, deepest_cause(error), "a readable file", "Check the path, and its permissions.") from None
    with source, reading(path):
        require_admitted(source, path, admitted)
        yield source


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Attribute GDAL's errors in the block to a raster; needed where another raster is written around the block.

    Raises
    ------
    DataError
        When the raster's pixels cannot be read.
    """
    try:
        yield
    except GDAL_ERRORS as error:
        remedy = "The file is truncated or damaged: get it anew."
        raise DataError(path, deepest_cause(error), "readable pixels", remedy) from None
    except TEXT_ERRORS:
        raise _text_error(path) from None


def _text_error(path: Path) -> DataError:
    remedy = "Remove the .aux.xml or .prj file beside it, or write the file anew with GDAL."
    return DataError(path, "a CRS or a tag that cannot be read", "readable text", remedy)


@contextmanager
def writing_raster(path: Path) -> Iterator[Path]:
    """Yield a temporary path for GDAL to write to; see :func:`mtlaerial.system.files.writing`.

    Raises
    ------
    DataError
        When the folder is not writable, the disk is full, or GDAL fails.
    """
    with writing(path) as partial:
        try:
            yield partial
        except GDAL_ERRORS as error:
            raise OSError(errno.EIO, deepest_cause(error)) from error


@contextmanager
def create_raster(path: Path, grid: Grid, **profile: Any) -> Iterator[rasterio.io.DatasetWriter]:
    """Create a GeoTIFF that appears under its final path only when it is complete.

    Parameters
    ----------
    path : Path
        The final path.
    grid : Grid
        CRS, transform and size.
    **profile
        GDAL's creation options: ``count``, ``dtype``, ``nodata``, ``compress``, …
    """
    with create_masked_raster(path, grid, (), **profile) as target:
        yield target


@contextmanager
def create_masked_raster(
    path: Path, grid: Grid, mask: Iterable[tuple[int, NDArray[np.bool_]]], **profile: Any
) -> Iterator[rasterio.io.DatasetWriter]:
    """Create a GeoTIFF with an internal mask; parameters as of :func:`create_raster`.

    Parameters
    ----------
    mask : iterable of (int, array of bool)
        Blocks of the mask of valid pixels, each with its first row, shape (rows, columns). It is consumed once the
        pixels are written: GDAL then appends the mask, and the strips of pixels stay contiguous. Without blocks, the
        file has no mask.
    """
    with writing_raster(path) as partial:
        options = {"BIGTIFF": "IF_SAFER", **profile}
        georeference = {"transform": grid.transform} if grid.georeferenced else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(
                partial,
                "w",
                driver="GTiff",
                height=grid.height,
                width=grid.width,
                crs=grid.crs,
                **georeference,
                **options,
            ) as target:
                yield target
        _append_mask(partial, mask)
        _check_complete(partial)


def _append_mask(path: Path, blocks: Iterable[tuple[int, NDArray[np.bool_]]]) -> None:
    """Append an internal mask to a GeoTIFF; none without blocks."""
    remaining = iter(blocks)
    first = next(remaining, None)
    if first is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as target:
            for top, valid in chain([first], remaining):
                target.write_mask(valid, window=((top, top + len(valid)), (0, target.width)))


def _check_complete(path: Path) -> None:
    """Read the last pixel back, as GDAL only logs a full disk when it closes a file."""
    try:
        with open_raster(path) as source:
            last = ((source.height - 1, source.height), (source.width - 1, source.width))
            source.read(1, window=last)
            source.read_masks(1, window=last)
    except DataError as error:
        raise OSError(errno.ENOSPC, f"an incomplete file, as on a full disk ({error.found})") from None


PREPARED = {"tiled": False, "interleave": "pixel", "compress": None, "@WRITE_EMPTY_TILES_SYNCHRONOUSLY": "YES"}
"""GDAL options of prepared tiles: uncompressed, pixel-interleaved strips, so that they can be memory-mapped. By
default GDAL writes strips of only zeros or no-data at the end of the file, out of order; the last option forbids it."""


def map_raster(path: Path) -> NDArray[Any]:
    """Memory-map a prepared tile, read-only.

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


def row_blocks(height: int, rows: int = 512) -> Iterator[tuple[int, int]]:
    """Yield (first row, number of rows) of each block of a raster that is streamed."""
    for row in range(0, height, rows):
        yield row, min(rows, height - row)
