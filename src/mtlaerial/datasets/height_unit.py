"""Units of height files that are not metres: converted by the specification or a scale tag, or refused."""

import math

import rasterio

from mtlaerial.config import HeightSpec
from mtlaerial.errors import DataError
from mtlaerial.rasters.decoder_warnings import rewriting
from mtlaerial.rasters.height_unit import stated_unit

_TOLERANCE = 1e-4
"""Largest relative difference between a scale tag and the metres in a unit for the tag to be what converts it."""


def require_metres(source: rasterio.DatasetReader, spec: HeightSpec) -> None:
    """Require that nothing in a height file states another unit of length than the metre, unless it is converted.

    ``height.scale`` is taken to convert any unit; a scale tag only if it is the metres in the unit, as it usually gives
    values in the unit that is stated.

    Raises
    ------
    DataError
    """
    unit, scale, offset = stated_unit(source), float(source.scales[0]), float(source.offsets[0])
    if unit is None or unit.metres is None or spec.scale != 1:
        return
    if any(math.isclose(unit.metres, factor, rel_tol=_TOLERANCE) for factor in (1.0, scale)):
        return
    path, _ = rewriting(source.name)
    remedy = f"Set height.scale to {unit.metres:.8g}."
    if (scale, offset) != (1.0, 0.0):
        remedy = f"Multiply its scale and offset tags by {unit.metres:.8g}, and tag it as metres."
    remedy += f" If the values are metres, say so: rio edit-info --units metre {path}"
    raise DataError(source.name, f"heights in the unit {unit.name}, as the file states", "metres", remedy)
