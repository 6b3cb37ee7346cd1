"""Units of height files that are not metres: converted by the specification or a scale tag, or refused."""

import math

import rasterio

from mtlaerial.config import HeightSpec
from mtlaerial.errors import DataError
from mtlaerial.rasters.decoder_warnings import rewriting
from mtlaerial.rasters.height_unit import HeightUnit, stated_unit

_TOLERANCE = 1e-4
"""Largest relative difference between a scale tag and the metres in a unit for the tag to be what converts it."""
_FOOT = 0.3048
"""Metres in a foot, the international one or, within the tolerance, that of surveys."""


def require_metres(source: rasterio.DatasetReader, spec: HeightSpec) -> None:
    """Require that nothing in a height file states another unit of length than the metre, unless it is converted.

    ``height.scale`` is taken to convert any unit, but that of feet no other: some tiles may be in metres, or the ground
    below a surface; :func:`scale_of_other_unit` tells of a scale that looks like another unit's. A scale tag converts a
    unit only if it is the metres in it, as it usually gives values in the unit that is stated.

    Raises
    ------
    DataError
    """
    unit, scale, offset = stated_unit(source), float(source.scales[0]), float(source.offsets[0])
    if unit is None or unit.metres is None:
        return
    if spec.scale != 1:
        _require_unit_of_scale(source, unit, spec.scale)
        return
    if any(math.isclose(unit.metres, factor, rel_tol=_TOLERANCE) for factor in (1.0, scale)):
        return
    path, _ = rewriting(source.name)
    remedy = f"Set height.scale to {unit.metres:.8g}."
    if (scale, offset) != (1.0, 0.0):
        remedy = f"Multiply its scale and offset tags by {unit.metres:.8g}, and tag it as metres."
    remedy += f" If the values are metres, say so: rio edit-info --units metre {path}"
    raise DataError(source.name, f"heights in the unit {unit.name}, as the file states", "metres", remedy)


def scale_of_other_unit(source: rasterio.DatasetReader, spec: HeightSpec) -> str | None:
    """Return the unit that a height file states where ``height.scale`` is no conversion of it to metres; else None.

    A conversion is the metres in the unit, or in a step of stored values: a part of it that is a round number of at
    most three digits, or a power of two, such as a tenth or 1/256. Of metres any step is one.
    """
    unit = stated_unit(source)
    if unit is None or not unit.metres or spec.scale == 1 or math.isclose(unit.metres, 1.0, rel_tol=_TOLERANCE):
        return None
    step = spec.scale / unit.metres
    steps = (float(f"{step:.3g}"), 2.0 ** round(math.log2(step)) if step > 0 else step)
    round_step = any(math.isclose(step, each, rel_tol=_TOLERANCE) for each in steps)
    return None if round_step and step <= 1 + _TOLERANCE else unit.name


def _require_unit_of_scale(source: rasterio.DatasetReader, unit: HeightUnit, specified: float) -> None:
    """Refuse a file that states another unit than feet where the specified scale is that of feet.

    Other scales may be steps of stored values, beside a vertical CRS that states the unit of the heights.
    """
    feet = math.isclose(specified, _FOOT, rel_tol=_TOLERANCE)
    if not feet or math.isclose(unit.metres or 0.0, specified, rel_tol=_TOLERANCE):
        return
    path, _ = rewriting(source.name)
    observed = f"heights in the unit {unit.name}, as the file states, and height.scale {specified:g}, which is for feet"
    remedy = f"Convert the file to feet. If its values are feet, say so: rio edit-info --units foot {path}"
    raise DataError(source.name, observed, "feet", remedy)
