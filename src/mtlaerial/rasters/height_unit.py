"""Unit of the heights in a raster: of its band, or of the vertical part of its CRS."""

from functools import cache
from typing import NamedTuple

import rasterio
from pyproj import CRS as Projection
from pyproj import get_units_map
from pyproj.exceptions import CRSError

_SYNONYMS = {
    "feet": "foot",
    "international foot": "foot",
    "international feet": "foot",
    "us survey feet": "us survey foot",
    "foot us": "us survey foot",
    "sfoot": "us survey foot",
    "ftus": "us survey foot",
}


class HeightUnit(NamedTuple):
    """The unit of heights that a raster states.

    Attributes
    ----------
    name : str
    metres : float or None
        Metres in one; None for a name that is no known unit of length.
    """

    name: str
    metres: float | None


def stated_unit(source: rasterio.DatasetReader) -> HeightUnit | None:
    """Return the unit of a raster's first band by its tag, else by the vertical part of the CRS; None without any."""
    name = (source.units[0] or "").strip()
    if name:
        return HeightUnit(name, metres_in(name))
    try:
        parts = Projection.from_wkt(source.crs.to_wkt()).sub_crs_list if source.crs else []
    except CRSError:  # one that PROJ does not know
        return None
    axes = [part.axis_info[0] for part in parts if part.is_vertical]
    return HeightUnit(axes[0].unit_name, axes[0].unit_conversion_factor) if axes else None


def metres_in(unit: str) -> float | None:
    """Return the metres in a unit of length, by its name in PROJ or a usual one; None for another name.

    Examples
    --------
    >>> metres_in("Meters"), metres_in("ft"), metres_in("counts")
    (1.0, 0.3048, None)
    """
    name = " ".join(unit.lower().replace("_", " ").split())
    if name.endswith(("meter", "meters", "metres")):
        name = name.removesuffix("s").replace("meter", "metre")
    return _factors().get(_SYNONYMS.get(name, name))


@cache
def _factors() -> dict[str, float]:
    """Return the metres in each unit by the names of PROJ and its short names."""
    units = get_units_map(category="linear").values()
    factors = {name.lower(): unit.conv_factor for unit in units for name in (unit.name, unit.proj_short_name) if name}
    return factors | {"decimetre": 0.1, "dm": 0.1}  # PROJ 9.5 has a decimetre of 0.01 m
