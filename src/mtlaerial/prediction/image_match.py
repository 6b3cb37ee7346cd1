"""Check of an image against the run that is to predict from it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtlaerial.errors import MismatchError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription

GSD_TOLERANCE = 0.1
"""Largest relative difference between an image's GSD and the training's."""


def require_match(path: Path, description: RunDescription, bands: Sequence[int] | None, gsd: float | None) -> Grid:
    """Return the grid of an image that matches a run's training data.

    Raises
    ------
    MismatchError
        When bands, dtype, ground sampling distance or orientation differ.
    """
    statistics = description.statistics
    names = [band.name for band in statistics.bands]
    with open_raster(path) as source:
        grid, count, dtype = Grid.of(source), source.count, source.dtypes[0]
    indices = list(bands or range(1, count + 1))
    if len(indices) != len(names):
        expected = f"{len(names)} bands ({', '.join(names)})"
        raise MismatchError(path, f"{len(indices)} bands", expected, "Choose them with --bands, e.g. --bands 1,2,3.")
    if not all(1 <= band <= count for band in indices):
        raise MismatchError(path, f"{count} bands", f"bands {indices}", "Correct --bands.")
    if np.dtype(dtype) != np.dtype(statistics.dtype):
        low, high = statistics.range
        remedy = f"Convert it to {statistics.dtype} with values from {low:g} to {high:g}."
        raise MismatchError(path, f"dtype {dtype}", statistics.dtype, remedy)
    _require_grid(path, grid, statistics.gsd, gsd)
    return grid


def _require_grid(path: Path, grid: Grid, trained_gsd: float, stated_gsd: float | None) -> None:
    if grid.crs is not None and grid.crs.is_geographic:
        raise MismatchError(path, "a CRS in degrees", "one in metres", "Reproject it, e.g. gdalwarp -t_srs EPSG:32631.")
    if grid.transform.b or grid.transform.d:
        raise MismatchError(path, "a rotated raster", "one with north up", "Rectify it with gdalwarp.")
    if not grid.georeferenced and stated_gsd is None:
        remedy = "Say its pixel size in metres with --gsd."
        raise MismatchError(path, "no georeference", f"about {trained_gsd:g} m per pixel", remedy)
    metres_per_unit = grid.crs.linear_units_factor[1] if grid.crs is not None else 1.0  # a CRS may be in feet
    gsd = stated_gsd if stated_gsd is not None else grid.pixel_size[1] * metres_per_unit
    if abs(gsd / trained_gsd - 1) > GSD_TOLERANCE:
        remedy = f"Resample it, e.g. gdalwarp -tr {trained_gsd:g} {trained_gsd:g} -r average."
        raise MismatchError(path, f"{gsd:g} m per pixel", f"about {trained_gsd:g} m", remedy)
