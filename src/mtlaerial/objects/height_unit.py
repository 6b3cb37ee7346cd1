"""Metres in the unit of a ground model's heights."""

import shlex
from pathlib import Path

import rasterio

from mtlaerial.errors import DataError
from mtlaerial.rasters.height_unit import stated_unit


def metres_per_height_unit(path: Path, source: rasterio.DatasetReader) -> float:
    """Return the metres in a unit of the first band; 1 where neither the band nor the CRS states a unit of heights.

    Raises
    ------
    DataError
        When the band states a unit that is not one of lengths.
    """
    unit = stated_unit(source)
    if unit is None:
        return 1.0
    if unit.metres is None:
        remedy = f"State it, e.g.: rio edit-info --bidx 1 --units metre {shlex.quote(str(path))}"
        raise DataError(path, f"heights in {unit.name!r}", "a unit of length: metre, foot, US survey foot", remedy)
    return unit.metres
