"""Heights of the ground under objects, from a ground model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.features import geometry_mask
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.objects.height_unit import metres_per_height_unit
from mtlaerial.objects.outlines import Polygons
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, horizontal_projection, same_projection

GroundHeights = Callable[[Polygons], NDArray[np.float64]]
"""Function of outlines: the height of the ground under each in metres, NaN where it is not known."""


@contextmanager
def ground_under(path: Path | None, objects_crs: str) -> Iterator[GroundHeights]:
    """Yield the function that returns the ground under outlines: the median of the cells that an outline touches.

    Parameters
    ----------
    path : Path, optional
        A ground model (DTM), in metres unless it states a unit; without one the ground is 0.
    objects_crs : str
        CRS of the outlines.

    Raises
    ------
    DataError
        When the file cannot be read, has another CRS than the objects, is not north-up, or states an unknown unit.
    """
    if path is None:
        yield lambda polygons: np.zeros(len(polygons))
        return
    with open_raster(path) as source:
        _require_fitting(path, source, horizontal_projection(objects_crs))
        metres = metres_per_height_unit(path, source)
        yield lambda polygons: metres * np.array([_ground_under(polygon, source) for polygon in polygons])


def _require_fitting(path: Path, source: rasterio.DatasetReader, expected: CRS) -> None:
    """Refuse a ground model in another CRS than the objects, and one that is not north-up."""
    crs = horizontal_projection(source.crs.to_wkt()) if source.crs else None
    code = f"EPSG:{expected.to_epsg()}" if expected.to_epsg() else "CRS"
    remedy = f"Reproject it: rio warp {path} ground_new.tif --dst-crs {code} --resampling bilinear"
    if not same_projection(crs, expected):
        raise DataError(path, crs_name(source.crs), f"{expected.name}, as the objects have", remedy)
    if not Grid.of(source).north_up:
        raise DataError(path, "a rotated or mirrored raster", "a ground model with north up", remedy)


def _ground_under(polygon: shapely.Polygon, source: rasterio.DatasetReader) -> float:
    """Return the median of the cells that a polygon touches, in the unit of the file."""
    grid = Grid.of(source)
    top, left, rows, columns = grid.covering(_grid_of(polygon, grid))
    right, bottom = min(left + columns, grid.width), min(top + rows, grid.height)
    top, left = max(top, 0), max(left, 0)
    if right <= left or bottom <= top:
        return np.nan
    window = Window(left, top, right - left, bottom - top)
    values = source.read(1, window=window, masked=True).astype(np.float64)
    place = grid.window(top, left, *values.shape)
    outside = geometry_mask([polygon], values.shape, place.transform, all_touched=True)
    under = np.ma.masked_invalid(np.ma.masked_array(values, outside)).compressed()
    heights = under * source.scales[0] + source.offsets[0]
    return float(np.median(heights)) if len(heights) else np.nan


def _grid_of(polygon: shapely.Polygon, like: Grid) -> Grid:
    """Return the grid of one cell that a polygon's bounds are."""
    west, south, east, north = polygon.bounds
    return Grid(like.crs, Affine(east - west, 0, west, 0, south - north, north), 1, 1)
