"""Heights of the ground under objects, from a ground model."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.windows import Window

from mtlaerial.errors import DataError
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import crs_name, horizontal_projection, same_projection

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def base_heights(frame: "GeoDataFrame", path: Path) -> NDArray[np.float64]:
    """Return the height of the ground under each object: the median of the cells that its outline touches.

    Parameters
    ----------
    frame : GeoDataFrame
        The table of objects.
    path : Path
        A ground model (DTM) in metres.

    Returns
    -------
    array of float64, metres
        NaN where the model has no value under an object.

    Raises
    ------
    DataError
        When the file cannot be read, has another CRS than the objects, or is not north-up.
    """
    with open_raster(path) as source:
        crs = horizontal_projection(source.crs.to_wkt()) if source.crs else None
        code = f"EPSG:{frame.crs.to_epsg()}" if frame.crs.to_epsg() else "CRS"
        remedy = f"Reproject it: rio warp {path} ground_new.tif --dst-crs {code} --resampling bilinear"
        if not same_projection(crs, frame.crs):
            raise DataError(path, crs_name(source.crs), f"{frame.crs.name}, as the objects have", remedy)
        if not Grid.of(source).north_up:
            raise DataError(path, "a rotated or mirrored raster", "a ground model with north up", remedy)
        return np.array([_ground_under(polygon, source) for polygon in frame.geometry.array], dtype=np.float64)


def _ground_under(polygon: shapely.Polygon, source: rasterio.DatasetReader) -> float:
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
    metres = under * source.scales[0] + source.offsets[0]
    return float(np.median(metres)) if len(metres) else np.nan


def _grid_of(polygon: shapely.Polygon, like: Grid) -> Grid:
    """Return the grid of one cell that a polygon's bounds are."""
    west, south, east, north = polygon.bounds
    return Grid(like.crs, Affine(east - west, 0, west, 0, south - north, north), 1, 1)
