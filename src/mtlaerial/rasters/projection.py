"""Projections of rasters: horizontal part, equality, unit, name."""

import math
from functools import cache, lru_cache

from pyproj import CRS as Projection
from rasterio.crs import CRS


@lru_cache(maxsize=64)
def horizontal_projection(text: str) -> Projection:
    """Return the horizontal part of a CRS, given as WKT or code; height files often have a vertical part too.

    Raises
    ------
    CRSError
        When PROJ does not know the CRS.
    """
    projection = Projection.from_user_input(text)
    return projection.sub_crs_list[0] if projection.is_compound else projection


def same_projection(first: Projection | None, second: Projection | None) -> bool:
    """Tell whether two horizontal CRSs are the same but for the order of their axes; None is that of no CRS."""
    if first is None or second is None:
        return first is second
    return first is second or _equal(first, second)


def same_horizontal_crs(first: CRS | None, second: CRS | None) -> bool:
    """Tell whether the horizontal parts of two CRSs are the same; None is that of no CRS."""
    if first is None or second is None or first == second:
        return first == second
    return same_projection(horizontal_projection(first.to_wkt()), horizontal_projection(second.to_wkt()))


@cache
def _equal(first: Projection, second: Projection) -> bool:
    return bool(first.equals(second, ignore_axis_order=True))


def metres_per_unit(projection: Projection) -> float:
    """Return the metres in a unit of a CRS, as it states them; 1 for a CRS in degrees."""
    return 1.0 if projection.is_geographic else float(projection.axis_info[0].unit_conversion_factor)


def crs_name(crs: CRS | None) -> str:
    """Return the EPSG code of a CRS, else its name; WKT fills a screen."""
    if crs is None:
        return "no CRS"
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(Projection.from_wkt(crs.to_wkt()).name)


def horizontal_code(crs: CRS) -> str:
    """Return the horizontal part of a CRS as its EPSG code, else as WKT."""
    projection = horizontal_projection(crs.to_wkt())
    code = projection.to_epsg()
    # PROJ names the code of a CRS that is only similar, too.
    if code and same_projection(projection, horizontal_projection(f"EPSG:{code}")):
        return f"EPSG:{code}"
    return str(projection.to_wkt())


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
