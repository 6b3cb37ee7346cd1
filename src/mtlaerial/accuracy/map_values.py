"""Values of maps at single pixels."""

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from mtlaerial.config import task_entry
from mtlaerial.errors import DataError
from mtlaerial.maps.map_folder import HEIGHTS, layer_file
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid

_TILE = 512
"""Pixels of a tile's side, which are decompressed together."""


def values_at(
    source: rasterio.DatasetReader, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.generic]:
    """Return the stored values of the first band at some pixels, shape (pixels,)."""
    values = np.empty(len(rows), dtype=source.dtypes[0])
    # Pixels of a tile one after the other, so that GDAL's cache decompresses it once.
    for index in np.lexsort((columns // _TILE, rows // _TILE)):
        row, column = int(rows[index]), int(columns[index])
        values[index] = source.read(1, window=((row, row + 1), (column, column + 1)))[0, 0]
    return values


def heights_at(folder: Path, grid: Grid, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mapped heights in metres at some pixels; NaN where there is none.

    Parameters
    ----------
    folder : Path
        Of the maps.
    grid : Grid
        Grid of the class map, which has the pixels.
    rows, columns : array of int, shape (pixels,)

    Raises
    ------
    DataError
        When the folder has no map of heights, or it has another grid.
    """
    path = layer_file(folder, HEIGHTS)
    with open_raster(path) as source:
        if Grid.of(source) != grid:
            raise DataError(path, "another grid", f"that of the classes in {folder}", "Predict again.")
        stored = values_at(source, rows, columns).astype(np.float64)
        heights = stored * source.scales[0] * task_entry("height").metres
        return np.where(stored == source.nodata, np.nan, heights)
