"""North-up grid of square pixels of a size on the ground, over the extent of a raster."""

import math

from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import centre_position, ground_pixel_size, unit_size
from mtlaerial.rasters.projection import horizontal_projection, utm_code

_ROUNDING = 1e-6
"""Part of a pixel by which an extent may miss a whole number of pixels through rounding."""


def grid_at_gsd(grid: Grid, gsd: float, stated_gsd: float | None = None) -> Grid:
    """Return the grid of square pixels of a ground sampling distance that covers a raster.

    It begins at the raster's north-western corner. A CRS in degrees gives way to the UTM zone of the raster's centre;
    any other CRS stays, and a raster without one has none. Without georeference the unit is a pixel of the raster.

    Parameters
    ----------
    grid : Grid
        The raster's, north-up or not. A CRS in degrees must have a place on Earth.
    gsd : float
        Metres per pixel on the ground at the centre.
    stated_gsd : float, optional
        Metres per pixel of a raster without georeference.
    """
    if not grid.georeferenced:
        side = gsd / (stated_gsd or gsd)
        rows, columns = (max(1, math.ceil(length / side - _ROUNDING)) for length in (grid.height, grid.width))
        return Grid(None, Affine.scale(side, side), rows, columns)
    if grid.crs is None or not horizontal_projection(grid.crs.to_wkt()).is_geographic:
        north_up = Grid(grid.crs, _north_up(grid), grid.height, grid.width)
        ground, units = ground_pixel_size(north_up), north_up.pixel_size
        height, width = (gsd * unit / metres for metres, unit in zip(ground, units, strict=True))
        return _covering(grid.crs, outer_bounds(grid), (height, width))
    position = centre_position(grid)
    assert position is not None  # the gate refuses other images
    utm = CRS.from_string(utm_code(*position))
    height, width = (gsd / metres for metres in unit_size(utm, position))
    return _covering(utm, transform_bounds(grid.crs, utm, *outer_bounds(grid)), (height, width))


def outer_bounds(grid: Grid) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a raster's corners, on rotated grids too."""
    corners = [grid.transform @ corner for corner in ((0, 0), (grid.width, 0), (0, grid.height))]
    corners.append(grid.transform @ (grid.width, grid.height))
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _north_up(grid: Grid) -> Affine:
    """Return a transform without rotation whose pixels have the raster's sides, and whose centre is the raster's."""
    height, width = grid.side_lengths
    x, y = grid.transform @ (grid.width / 2, grid.height / 2)
    return Affine(width, 0, x - width * grid.width / 2, 0, -height, y + height * grid.height / 2)


def _covering(crs: CRS | None, bounds: tuple[float, float, float, float], sides: tuple[float, float]) -> Grid:
    west, south, east, north = bounds
    height, width = sides
    rows = max(1, math.ceil((north - south) / height - _ROUNDING))
    columns = max(1, math.ceil((east - west) / width - _ROUNDING))
    return Grid(crs, Affine(width, 0, west, 0, -height, north), rows, columns)
