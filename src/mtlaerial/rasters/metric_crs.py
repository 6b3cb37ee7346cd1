"""Requirement that maps lie on a north-up grid in metres or feet, without which areas would be wrong."""

import shlex
from pathlib import Path

from mtlaerial.errors import DataError
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import centre_position
from mtlaerial.rasters.projection import crs_name, horizontal_projection, utm_code


def require_metric_crs(path: Path, grid: Grid) -> None:
    """Refuse a map whose pixels have no area in square metres.

    Raises
    ------
    DataError
        When it has no CRS, one in degrees, or a grid that is not north-up.
    """
    expected = "a projected CRS, in which areas are square metres"
    if grid.crs is None:
        file = shlex.quote(str(path))
        remedy = f"If you know the CRS, state it in each map: rio edit-info --crs EPSG:CODE {file}"
        raise DataError(path, "no CRS", expected, remedy)
    if not horizontal_projection(grid.crs.to_wkt()).is_projected:
        centre = centre_position(grid)
        code = utm_code(*centre) if centre else "EPSG:CODE"
        remedy = (
            "Reproject the orthophoto and map it again: "
            f"rio warp ORTHO.tif ortho_new.tif --dst-crs {code} --resampling cubic"
        )
        raise DataError(path, crs_name(grid.crs), expected, remedy)
    if not grid.north_up:
        remedy = "Rectify the orthophoto with `rio warp` and map it again."
        raise DataError(path, "a rotated or mirrored raster", "a raster with north up", remedy)
