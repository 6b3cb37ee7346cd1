"""Decoding of raw height and label values to metres and class indices."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, ClassSpec, HeightSpec, LabelsSpec
from mtlaerial.datasets.height_unit import require_metres
from mtlaerial.errors import DataError

Scaling = tuple[float, float]
"""Scale and offset of a band: value = raw * scale + offset."""
UNSCALED: Scaling = (1.0, 0.0)
LabelValue = int | tuple[int, int, int]
"""A raw value of a label file: a code, or (red, green, blue)."""


class RawHeights(NamedTuple):
    """Heights as in their file.

    Attributes
    ----------
    values : array, any real dtype, shape (rows, columns)
    invalid : array of bool, shape (rows, columns), or None
        Mask of the cells that are no data by GDAL's mask; None without any.
    scaling : Scaling
        The band's scale and offset tags.
    """

    values: NDArray[np.generic]
    invalid: NDArray[np.bool_] | None = None
    scaling: Scaling = UNSCALED


def decode_height(spec: HeightSpec, raw: RawHeights, ground: RawHeights | None = None) -> NDArray[np.float32]:
    """Convert raw heights to metres above ground.

    Parameters
    ----------
    spec : HeightSpec
        Scale, offset, no-data values and range; scale and offset apply to the difference of surface and ground.
    raw : RawHeights
        Heights, or surface elevations where ``ground`` is given.
    ground : RawHeights, optional
        Ground elevations in the same unit.

    Returns
    -------
    array, float32, shape (rows, columns)
        Metres within ``spec.valid_range``; NaN where there is no data.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # by no-data values, which are masked below
        value, absent = scaled(raw), nodata_mask(spec, raw)
        if ground is not None:
            value, absent = value - scaled(ground), absent | nodata_mask(spec, ground)
        metres = value * spec.scale + spec.offset
        lowest, highest = spec.valid_range
        absent = absent | ~((metres >= lowest) & (metres <= highest))  # negated, so that NaN is absent too
        metres[absent] = np.nan
        return metres.astype(np.float32)


def scaled(raw: RawHeights) -> NDArray[np.floating]:
    """Return heights with the file's own scale and offset applied: value * scale + offset."""
    value, (scale, offset) = to_float(raw.values), raw.scaling
    return value if raw.scaling == UNSCALED else np.asarray(value * scale + offset)


def height_scaling(source: rasterio.DatasetReader, spec: HeightSpec) -> Scaling:
    """Return the scale and offset tags of a height file's first band.

    Raises
    ------
    DataError
        When the specification has a scale or offset too: one of the two would be applied twice. When the file states
        another unit than the metre, and nothing converts it.
    """
    scaling = float(source.scales[0]), float(source.offsets[0])
    if UNSCALED not in (scaling, (spec.scale, spec.offset)):
        specified = f"height.scale {spec.scale:g} and height.offset {spec.offset:g}"
        observed = f"a scale tag of {scaling[0]:g} and an offset tag of {scaling[1]:g}, besides {specified}"
        remedy = "The tags are applied: remove height.scale and height.offset, or the tags."
        raise DataError(source.name, observed, "one of the two", remedy)
    require_metres(source, spec)
    return scaling


def nodata_mask(spec: HeightSpec, raw: RawHeights) -> NDArray[np.bool_]:
    """Return the mask of no-data among raw heights, shape (rows, columns); the range in metres does not count."""
    value = to_float(raw.values)
    absent: NDArray[np.bool_] = np.isnan(value)
    if raw.invalid is not None:
        absent |= raw.invalid
    if spec.nodata is not None:
        absent |= value == value.dtype.type(spec.nodata)  # rounded to the file's type, as its values are
    if spec.nodata_above is not None:
        absent |= value >= spec.nodata_above
    return absent


def to_float(raw: NDArray[np.generic]) -> NDArray[np.floating]:
    """Convert values to float32, or to float64 if float32 would lose digits."""
    return raw.astype(np.result_type(raw.dtype, np.float32), copy=False)


def decode_labels(
    spec: LabelsSpec, raw: NDArray[np.generic], invalid: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Convert raw labels to class indices.

    Parameters
    ----------
    spec : LabelsSpec
        The raw values of each class.
    raw : array, integer, shape (rows, columns) for codes or (3, rows, columns) for colours
    invalid : array of bool, shape (rows, columns), optional
        Mask of the pixels that are no data by GDAL's mask.

    Returns
    -------
    array, uint8, shape (rows, columns)
        Indices in ``spec.classes``; ``IGNORED`` for values that are ignored or unknown.
    """
    keys = _pack(spec, raw)
    class_of_key, _ = _lookup_tables(spec.classes, spec.ignore)
    labels: NDArray[np.uint8] = class_of_key.take(keys, mode="clip")
    labels[keys < 0] = IGNORED
    if invalid is not None:
        labels[invalid] = IGNORED
    return labels


def unknown_labels(
    spec: LabelsSpec, raw: NDArray[np.generic], invalid: NDArray[np.bool_] | None = None
) -> dict[LabelValue, int]:
    """Count the pixels of raw values that are neither a class nor ignored; parameters as of :func:`decode_labels`.

    Returns
    -------
    dict
        Pixels per unknown code or colour, in ascending order of the values.
    """
    keys = _pack(spec, raw)
    _, specified = _lookup_tables(spec.classes, spec.ignore)
    unknown = (keys < 0) | ~specified.take(keys, mode="clip")
    if invalid is not None:
        unknown &= ~invalid
    unknown_keys, counts = np.unique(keys[unknown], return_counts=True)
    values: list[LabelValue] = unknown_keys.tolist()
    if spec.encoding == "rgb":
        values = [_unpack_colour(key) for key in unknown_keys.tolist()]
    return dict(zip(values, counts.tolist(), strict=True))


@lru_cache(maxsize=4)
def _lookup_tables(
    entries: tuple[ClassSpec, ...], ignore: tuple[LabelValue, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return tables of class index, and of whether the specification lists the value, by packed value."""
    indices = {_pack_value(value): index for index, entry in enumerate(entries) for value in entry.values}
    indices |= {_pack_value(value): IGNORED for value in ignore}
    # One entry more than needed: take(mode="clip") maps all larger values to it.
    classes = np.full(max(indices) + 2, IGNORED, dtype=np.uint8)
    specified = np.zeros(len(classes), dtype=np.bool_)
    classes[list(indices)], specified[list(indices)] = list(indices.values()), True
    return classes, specified


def _pack(spec: LabelsSpec, raw: NDArray[np.generic]) -> NDArray[np.signedinteger]:
    """Return one signed integer per pixel: the code, or 0xRRGGBB."""
    if raw.dtype.kind not in "ui":
        raise DataError("labels", f"{raw.dtype} values", "integers", "Convert the labels to an integer type.")
    if spec.encoding == "codes":
        return raw.astype(np.int64)
    red, green, blue = raw.astype(np.int32)
    return np.asarray((red << 16) | (green << 8) | blue)


def _pack_value(value: LabelValue) -> int:
    return value if isinstance(value, int) else (value[0] << 16) | (value[1] << 8) | value[2]


def _unpack_colour(key: int) -> tuple[int, int, int]:
    return key >> 16, (key >> 8) & 255, key & 255
