"""Unit of the heights in a raster: of its band, or of the vertical part of its CRS."""

import shlex
from pathlib import Path

import rasterio
from pyproj import CRS, get_units_map

from mtlaerial.errors import DataError

_FACTORS = {
    spelling.lower(): unit.conv_factor
    for unit in get_units_map(category="linear").values()
    for spelling in (unit.name, unit.proj_short_name)
    if spelling
}
"""Metres per unit, by the names of PROJ and its short names."""
_SYNONYMS = {
    "meter": "metre",
    "meters": "metre",
    "metres": "metre",
    "feet": "foot",
    "us survey feet": "us survey foot",
    "foot us": "us survey foot",
    "sfoot": "us survey foot",
    "ftus": "us survey foot",
    "centimeter": "centimetre",
}


def metres_per_height_unit(path: Path, source: rasterio.DatasetReader) -> float:
    """Return the metres in a unit of the first band; 1 where neither the band nor the CRS states a unit of heights.

    Raises
    ------
    DataError
        When the band states a unit that is not one of lengths.
    """
    text = source.units[0]
    if not text:
        parts = CRS.from_wkt(source.crs.to_wkt()).sub_crs_list if source.crs else []
        return float(parts[1].axis_info[0].unit_conversion_factor) if len(parts) > 1 else 1.0
    name = " ".join(text.lower().replace("_", " ").split())
    factor = _FACTORS.get(_SYNONYMS.get(name, name))
    if factor is None:
        remedy = f"State it, e.g.: rio edit-info --bidx 1 --units metre {shlex.quote(str(path))}"
        raise DataError(path, f"heights in {text!r}", "a unit of length: metre, foot, US survey foot", remedy)
    return float(factor)
