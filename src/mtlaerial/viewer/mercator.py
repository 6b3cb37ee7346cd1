"""Web Mercator (EPSG:3857), the map's projection: bounds and zoom of its tiles."""

import math

from rasterio.crs import CRS
from rasterio.warp import transform

MERCATOR = CRS.from_epsg(3857)
LIMIT = math.pi * 6378137.0
"""Metres from the centre of the square world to its sides."""
TILE = 512
"""Side of a tile in pixels."""
DEEPEST_ZOOM = 24
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""


def tile_bounds(zoom: int, column: int, row: int) -> Bounds | None:
    """Return the bounds of a tile in metres; None where there is no such tile.

    Examples
    --------
    >>> [round(value) for value in tile_bounds(1, 0, 0)]
    [-20037508, 0, 0, 20037508]
    """
    if not 0 <= zoom <= DEEPEST_ZOOM or not (0 <= column < 2**zoom and 0 <= row < 2**zoom):
        return None
    side = 2 * LIMIT / 2**zoom
    west, north = column * side - LIMIT, LIMIT - row * side
    return west, north - side, west + side, north


def zoom_of(pixel: float) -> int:
    """Return the first zoom whose tiles have pixels as fine as some metres.

    Examples
    --------
    >>> zoom_of(0.3)
    18
    """
    return max(0, min(DEEPEST_ZOOM, math.ceil(math.log2(2 * LIMIT / TILE / pixel))))


def degrees(bounds: Bounds) -> Bounds:
    """Return bounds in degrees of longitude and latitude."""
    longitudes, latitudes = transform(MERCATOR, "EPSG:4326", bounds[::2], bounds[1::2])
    return longitudes[0], latitudes[0], longitudes[1], latitudes[1]


def union(parts: list[Bounds]) -> Bounds:
    """Return the smallest bounds around some."""
    wests, souths, easts, norths = zip(*parts, strict=True)
    return min(wests), min(souths), max(easts), max(norths)
