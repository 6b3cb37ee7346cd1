"""Numbers of the configuration: no booleans or texts in their place, finite, and within generous bounds.

The bounds are far above what a machine can do; they catch a mistaken digit or unit before it exhausts the memory.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import CoreSchema
from pydantic_core.core_schema import with_info_before_validator_function as checked_before

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
"""Number of steps, epochs or patches."""
Batch = Annotated[int, Field(ge=1, le=65_536)]
"""Number of patches or windows at once."""
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Threads = Annotated[int, Field(ge=1, le=1_024)]
Channels = Annotated[int, Field(ge=1, le=8_192)]
"""Channels of a layer."""
Layers = Annotated[int, Field(ge=1, le=256)]
"""Dense layers of a block."""
Passes = Annotated[int, Field(ge=0, le=10_000)]
"""Repeated passes over an image."""
Pixels = Annotated[int, Field(ge=1, le=65_536)]
"""Distance or side in pixels of what is held in memory."""
Multiple = Annotated[int, Field(ge=32, le=65_536, multiple_of=32)]
"""Side in pixels of what a network is given."""
Extent = Annotated[int, Field(ge=1, le=100_000_000)]
"""Rows or columns of a part of a raster, which may be larger than the memory."""
BandIndex = Annotated[int, Field(ge=1, le=65_535)]
"""Index of a band, from 1; GDAL's formats have at most 65,535."""
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]
Percent = Annotated[float, Field(gt=0.0, lt=100.0)]
"""Part of a whole that is neither nothing nor all, in per cent."""
Azimuth = Annotated[float, Field(ge=0.0, lt=360.0)]
"""Direction in degrees, clockwise from north."""
Weight = Annotated[float, Field(ge=0.0, le=1e6)]
"""Weight of a class in the loss; 0 for none."""
PositiveWeight = Annotated[float, Field(gt=0.0, le=1e6)]
"""Weight of a task in a score."""
Metres = Annotated[float, Field(gt=0.0, le=1e6)]
"""Positive length in metres."""
Distance = Annotated[float, Field(ge=0.0, le=1e6)]
"""Length in metres, or 0 for none."""


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("a number other than 0, which would turn all heights into one value")
    return value


def _lower_first(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] >= value[1]:
        raise ValueError("two numbers, the lower one first")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_lower_first)]
"""Lower and upper value."""
Factor = Annotated[float, AfterValidator(_not_zero)]
"""Factor of heights."""

FROM_USER = "from user"
"""Validation context of values that a user wrote: floats must be finite. Measurements in records may be NaN."""
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
"""Numbers such as 1e-3, which YAML 1.1 reads as text."""
_KEPT = ("default", "metadata", "serialization", "expected")
"""Keys of a core schema that hold values, no schemas."""


def strict_scalars(schema: CoreSchema) -> Any:
    """Return a pydantic schema whose numbers and booleans take no values of other types.

    Pydantic's own strict mode would refuse lists for tuples, which YAML lacks, and NumPy's integers.

    Raises
    ------
    ValueError
        While validating: for booleans and texts as numbers, and for numbers and texts as booleans.
    """
    return _strict(schema)


def _strict(schema: Any) -> Any:
    if isinstance(schema, (list, tuple)):
        return type(schema)(_strict(item) for item in schema)
    if not isinstance(schema, Mapping):
        return schema
    kind = schema.get("type")
    if kind == "function-before" and schema["function"]["function"] in _CHECKS.values():
        return schema  # of a section within this one
    if kind in _CHECKS and _has_numbers(schema):
        return checked_before(_CHECKS[kind], schema)
    return {key: value if key in _KEPT else _strict(value) for key, value in schema.items()}


def _has_numbers(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema takes numbers or booleans: a literal may be of texts only."""
    return schema["type"] != "literal" or any(isinstance(value, int) for value in schema["expected"])


def _number(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, (bool, str)):
        raise ValueError("a number")
    if info.context == FROM_USER and isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a finite number")
    return value


def _whole_number(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, (bool, str)) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError("a whole number")
    return value


def _choice(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, bool):  # which equals 0 or 1
        raise ValueError("a whole number")
    return value


def _boolean(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        raise ValueError("true or false")
    return value


_CHECKS: dict[Any, Any] = {"int": _whole_number, "float": _number, "bool": _boolean, "literal": _choice}
"""The check before each type of scalar."""
