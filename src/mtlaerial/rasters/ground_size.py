"""Size of pixels on the ground, and the place of a raster on Earth."""

import math
from functools import lru_cache

import numpy as np
from pyproj import CRS as Projection
from pyproj import Transformer
from pyproj.exceptions import ProjError
from rasterio.crs import CRS

from mtlaerial.rasters.grid import Grid

NEGLIGIBLE_SCALE = 0.01
"""Largest relative difference between ground and CRS for which a pixel has the size that the CRS states. UTM and state
planes stay within a thousandth; Web Mercator at 60 degrees of latitude is off by half."""
_STEP = 50.0
"""Distance from a raster's centre, in units of the CRS, over which the scale of a projection is measured."""
_LARGEST_SHIFT = 1e-2
"""Largest distance, in units of the CRS, between a point and its image there and back."""


@lru_cache(maxsize=64)
def horizontal_projection(wkt: str) -> Projection:
    """Return the horizontal part of a CRS; height files often have a vertical part too."""
    projection = Projection.from_wkt(wkt)
    return projection.sub_crs_list[0] if projection.is_compound else projection


def crs_name(crs: CRS | None) -> str:
    """Return the EPSG code of a CRS, else its name; WKT fills a screen."""
    if crs is None:
        return "no CRS"
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(Projection.from_wkt(crs.to_wkt()).name)


def metres_per_unit(crs: CRS | None) -> float:
    """Return the metres in a unit of a projected CRS; without one, coordinates are taken to be metres."""
    if crs is None:
        return 1.0
    projection = horizontal_projection(crs.to_wkt())
    return float(projection.axis_info[0].unit_conversion_factor) if projection.is_projected else 1.0


def centre_position(grid: Grid) -> tuple[float, float] | None:
    """Return longitude and latitude of a grid's centre in degrees; None where its CRS has none there."""
    if grid.crs is None:
        return None
    positions = _to_degrees(grid.crs, [_centre(grid)])
    return positions[0] if positions else None


def area_centre(crs: CRS) -> tuple[float, float]:
    """Return coordinates in the middle of the area that a projected CRS is made for; 0, 0 where that is unknown."""
    code = crs.to_epsg()
    # GDAL's WKT lacks the area, which the registry has.
    projection = Projection.from_epsg(code) if code else horizontal_projection(crs.to_wkt())
    area = projection.area_of_use
    if area is None or projection.geodetic_crs is None:
        return 0.0, 0.0
    longitude, latitude = (area.west + area.east) / 2, (area.south + area.north) / 2
    from_degrees = Transformer.from_crs(projection.geodetic_crs.to_2d(), projection, always_xy=True)
    x, y = from_degrees.transform(longitude, latitude)
    return float(x), float(y)


def ground_pixel_size(grid: Grid) -> tuple[float, float]:
    """Return height and width of a pixel in metres on the ground, at the centre of a north-up grid.

    A projection enlarges or shrinks the ground: a pixel of 0.5 m in Web Mercator covers 0.25 m at 60 degrees north.
    The scale is the geodesic length of a step in the projection. Where it is within ``NEGLIGIBLE_SCALE`` of 1, or the
    CRS is not projected, the size is that of the CRS.
    """
    factor = metres_per_unit(grid.crs)
    height, width = (side * factor for side in grid.pixel_size)
    scales = _ground_scales(grid)
    if scales is None or max(abs(scale / factor - 1) for scale in scales) < NEGLIGIBLE_SCALE:
        return height, width
    return grid.pixel_size[0] * scales[0], grid.pixel_size[1] * scales[1]


def ground_cell_area(grid: Grid) -> float:
    """Return the area of a cell in square metres on the ground, at the centre of a north-up grid."""
    height, width = ground_pixel_size(grid)
    return height * width


def _ground_scales(grid: Grid) -> tuple[float, float] | None:
    """Return metres on the ground per unit of the CRS, along its second and its first axis; None if there are none."""
    if grid.crs is None or not grid.crs.is_projected:
        return None
    x, y = _centre(grid)
    steps = [(x, y - _STEP), (x, y + _STEP), (x - _STEP, y), (x + _STEP, y)]
    positions = _to_degrees(grid.crs, steps)
    if positions is None:
        return None
    geodesics = horizontal_projection(grid.crs.to_wkt()).get_geod()
    assert geodesics is not None  # a CRS with longitudes and latitudes has an ellipsoid
    south, north, west, east = positions
    _, _, along_y = geodesics.inv(*south, *north)
    _, _, along_x = geodesics.inv(*west, *east)
    return along_y / (2 * _STEP), along_x / (2 * _STEP)


def _centre(grid: Grid) -> tuple[float, float]:
    x, y = grid.transform @ (grid.width / 2, grid.height / 2)
    return x, y


def _to_degrees(crs: CRS, points: list[tuple[float, float]]) -> list[tuple[float, float]] | None:
    """Return longitudes and latitudes of points; None where a point has none."""
    projection = horizontal_projection(crs.to_wkt())
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


def utm_code(longitude: float, latitude: float) -> str:
    """Return the EPSG code of the UTM zone of a position, of the polar stereographic CRS near the poles.

    Examples
    --------
    >>> utm_code(-95.4, 29.7)
    'EPSG:32615'
    >>> utm_code(151.2, -33.9)
    'EPSG:32756'
    """
    if latitude > 84 or latitude < -80:
        return "EPSG:32661" if latitude > 0 else "EPSG:32761"
    zone = math.floor((longitude + 180) / 6) % 60 + 1
    return f"EPSG:{32600 + zone}" if latitude >= 0 else f"EPSG:{32700 + zone}"
