"""Size of pixels on the ground, and the place of a raster on Earth."""

import math

import numpy as np
from affine import Affine
from pyproj import CRS as Projection
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.crs import CRS

from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import horizontal_projection, metres_per_unit

NEGLIGIBLE_SCALE = 0.01
"""Largest relative difference between ground and CRS for which a pixel has the size that the CRS states. UTM and state
planes stay within a thousandth; Web Mercator at 60 degrees of latitude is off by half."""
_STEP = 50.0
"""Distance from a place, in units of a projected CRS, over which its scale is measured."""
_STEP_IN_DEGREES = 5e-4
"""The same in a geographic CRS: 55 m along a meridian."""
_LARGEST_SHIFT = 1e-2
"""Largest distance, in units of the CRS, between a point and its image there and back."""


def centre_position(grid: Grid) -> tuple[float, float] | None:
    """Return longitude and latitude of a grid's centre in degrees; None where its CRS has none there."""
    if grid.crs is None:
        return None
    positions = _to_degrees(horizontal_projection(grid.crs.to_wkt()), [_centre(grid)])
    return positions[0] if positions else None


def area_centre(crs: CRS) -> tuple[float, float]:
    """Return coordinates in the middle of the area that a projected CRS is made for; 0, 0 where that is unknown."""
    code = crs.to_epsg()
    # GDAL's WKT lacks the area, which the registry has.
    projection = Projection.from_epsg(code) if code else horizontal_projection(crs.to_wkt())
    area = projection.area_of_use
    if area is None or projection.geodetic_crs is None:
        return 0.0, 0.0
    return _from_degrees(projection, ((area.west + area.east) / 2, (area.south + area.north) / 2))


def unit_size(crs: CRS, position: tuple[float, float]) -> tuple[float, float]:
    """Return the metres on the ground in a unit of a projected CRS, along its second and its first axis.

    Parameters
    ----------
    crs : CRS
    position : tuple of float
        Longitude and latitude of the place, in degrees.
    """
    x, y = _from_degrees(horizontal_projection(crs.to_wkt()), position)
    return ground_pixel_size(Grid(crs, Affine(1, 0, x - 0.5, 0, -1, y + 0.5), 1, 1))


def ground_pixel_size(grid: Grid) -> tuple[float, float]:
    """Return height and width of a pixel in metres on the ground, at the centre of a north-up grid.

    A projection enlarges or shrinks the ground: a pixel of 0.5 m in Web Mercator covers 0.25 m at 60 degrees north.
    The scale is the geodesic length of a step in the projection. Where it is within ``NEGLIGIBLE_SCALE`` of 1, or the
    CRS is not projected, the size is that of the CRS.
    """
    if grid.crs is None:
        return grid.pixel_size
    along_y, along_x = _metres_along_axes(horizontal_projection(grid.crs.to_wkt()), _centre(grid))
    return grid.pixel_size[0] * along_y, grid.pixel_size[1] * along_x


def ground_side_lengths(grid: Grid) -> tuple[float, float] | None:
    """Return height and width of a pixel along its own sides in metres on the ground, at the centre of any grid.

    It may be rotated, or in degrees; None where it is in degrees and has no place on Earth.
    """
    if grid.crs is None:
        return grid.side_lengths
    projection, centre = horizontal_projection(grid.crs.to_wkt()), _centre(grid)
    along_axes = ground_scales if projection.is_geographic else _metres_along_axes
    scales = along_axes(projection, centre)
    if scales is None:
        return None
    along_y, along_x = scales
    transform = grid.transform
    height = math.hypot(transform.b * along_x, transform.e * along_y)
    width = math.hypot(transform.a * along_x, transform.d * along_y)
    return height, width


def ground_cell_area(grid: Grid) -> float:
    """Return the area of a cell in square metres on the ground, at the centre of a north-up grid."""
    height, width = ground_pixel_size(grid)
    return height * width


def ground_scales(projection: Projection, place: tuple[float, float]) -> tuple[float, float] | None:
    """Return metres on the ground per unit of a CRS at a place, along its second and its first axis; None off Earth."""
    x, y = place
    step = _STEP_IN_DEGREES if projection.is_geographic else _STEP
    ends = [(x, y - step), (x, y + step), (x - step, y), (x + step, y)]
    positions = _to_degrees(projection, ends)
    if positions is None:
        return None
    geodesics = projection.get_geod()
    assert geodesics is not None  # a CRS with longitudes and latitudes has an ellipsoid
    south, north, west, east = positions
    _, _, along_y = geodesics.inv(*south, *north)
    _, _, along_x = geodesics.inv(*west, *east)
    return along_y / (2 * step), along_x / (2 * step)


def _metres_along_axes(projection: Projection, place: tuple[float, float]) -> tuple[float, float]:
    """Return metres per unit of a CRS along its second and its first axis: on the ground, where that matters."""
    factor = metres_per_unit(projection)
    scales = ground_scales(projection, place) if projection.is_projected else None
    if scales is None or max(abs(scale / factor - 1) for scale in scales) < NEGLIGIBLE_SCALE:
        return factor, factor
    return scales


def _centre(grid: Grid) -> tuple[float, float]:
    x, y = grid.transform @ (grid.width / 2, grid.height / 2)
    return x, y


def _from_degrees(projection: Projection, position: tuple[float, float]) -> tuple[float, float]:
    """Return the coordinates of a longitude and latitude."""
    assert projection.geodetic_crs is not None
    from_degrees = Transformer.from_crs(projection.geodetic_crs.to_2d(), projection, always_xy=True)
    x, y = from_degrees.transform(*position)
    return float(x), float(y)


def _to_degrees(projection: Projection, points: list[tuple[float, float]]) -> list[tuple[float, float]] | None:
    """Return longitudes and latitudes of points; None where a point has none."""
    if projection.geodetic_crs is None:
        return None
    try:
        to_degrees = Transformer.from_crs(projection, projection.geodetic_crs.to_2d(), always_xy=True)
        positions = [to_degrees.transform(*point, errcheck=True) for point in points]
        returned = [to_degrees.transform(*position, direction="INVERSE") for position in positions]
    except ProjError:
        return None
    # Far outside its area a projection gives numbers too, which do not lead back.
    shifts = np.abs(np.array(returned) - np.array(points))
    if not (shifts < _LARGEST_SHIFT).all() or any(abs(latitude) > 90 for _, latitude in positions):
        return None
    return positions
