"""Checks of a map against its ground truth."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, same_horizontal_crs


def grid_of(path: Path) -> Grid:
    """Return the grid of a raster file."""
    with open_raster(path) as source:
        return Grid.of(source)


def size_text(rows: int, columns: int) -> str:
    """Return the size of a raster for messages."""
    return f"{rows} x {columns} cells"


def require_same_grid(path: Path, grid: Grid, truth: Path) -> None:
    """Raise a DataError unless a map lies on the grid of its ground truth; where one has no CRS, none is compared."""
    expected = grid_of(truth)
    if (grid.height, grid.width) != (expected.height, expected.width):
        size = size_text(grid.height, grid.width)
        raise DataError(path, size, f"{expected.height} x {expected.width}, as {truth}", "Predict again.")
    # A thousandth of a pixel, for rounding of the transforms.
    if not grid.transform.almost_equals(expected.transform, 1e-3 * min(expected.pixel_size)):
        raise DataError(path, f"the place {grid.bounds}", f"{expected.bounds}, as {truth}", "Predict again.")
    if grid.crs and expected.crs and not same_horizontal_crs(grid.crs, expected.crs):
        place = f"{crs_name(expected.crs)}, as {truth}"
        raise DataError(path, f"the CRS {crs_name(grid.crs)}", place, "Predict again.")


def require_exact(path: Path, source: rasterio.DatasetReader) -> None:
    """Raise a DataError for a map in steps of a scale tag, as those for people are: scores are of stored values."""
    for scale, offset in zip(source.scales, source.offsets, strict=True):
        if (scale, offset) != (1, 0):
            observed = f"values in steps of {scale:g}" + (f" from {offset:g}" if offset else "")
            remedy = "Predict the test tiles again, by `mtlaerial score` or Predictor.predict_tiles."
            raise DataError(path, observed, "values without scale and offset tags", remedy)


def with_nan(source: rasterio.DatasetReader, block: NDArray[Any]) -> NDArray[Any]:
    """Return a block of a map's values with NaN in place of the file's no-data value."""
    if source.nodata is None or np.isnan(source.nodata):
        return block
    return np.where(block == source.nodata, np.float32(np.nan), block)


def require_predicted(path: Path, true: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
    """Raise a DataError unless a block of a map has a height wherever there is a true one."""
    lacking = int((np.isfinite(true) & ~np.isfinite(predicted)).sum())
    if lacking:
        raise DataError(path, f"{lacking} cells without a height", "a height wherever there is truth", "Predict again.")
