"""Decoding of raw height and label values to metres and class indices."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, ClassSpec, HeightSpec, LabelsSpec
from mtlaerial.errors import DataError

LabelValue = int | tuple[int, int, int]
"""A raw value of a label file: a code, or (red, green, blue)."""


def decode_height(
    spec: HeightSpec,
    raw: NDArray[np.generic],
    ground: NDArray[np.generic] | None,
    file_nodata: float | None,
    ground_nodata: float | None = None,
) -> NDArray[np.float32]:
    """Convert raw heights to metres above ground.

    Parameters
    ----------
    spec : HeightSpec
        Scale, offset, no-data values and range; scale and offset apply to the difference of surface and ground.
    raw : array, any real dtype, shape (rows, columns)
        Heights, or surface elevations where ``ground`` is given.
    ground : array, any real dtype, shape (rows, columns), or None
        Ground elevations in the same unit.
    file_nodata, ground_nodata : float or None
        No-data tags of the files.

    Returns
    -------
    array, float32, shape (rows, columns)
        Metres within ``spec.valid_range``; NaN where there is no data.
    """
    value, absent = to_float(raw), nodata_mask(spec, raw, file_nodata)
    if ground is not None:
        value, absent = value - to_float(ground), absent | nodata_mask(spec, ground, ground_nodata)
    with np.errstate(over="ignore", invalid="ignore"):  # by no-data values, which are masked below
        metres = value * spec.scale + spec.offset
        lowest, highest = spec.valid_range
        absent = absent | ~((metres >= lowest) & (metres <= highest))  # negated, so that NaN is absent too
        metres[absent] = np.nan
        return metres.astype(np.float32)


def nodata_mask(spec: HeightSpec, raw: NDArray[np.generic], file_nodata: float | None) -> NDArray[np.bool_]:
    """Return the mask of no-data among raw heights, shape (rows, columns); the range in metres does not count."""
    value = to_float(raw)
    absent: NDArray[np.bool_] = np.isnan(value)
    for nodata in (spec.nodata, file_nodata):
        if nodata is not None:
            absent |= value == value.dtype.type(nodata)  # rounded to the file's type, as its values are
    if spec.nodata_above is not None:
        absent |= value >= spec.nodata_above
    return absent


def to_float(raw: NDArray[np.generic]) -> NDArray[np.floating]:
    """Convert values to float32, or to float64 if float32 would lose digits."""
    return raw.astype(np.result_type(raw.dtype, np.float32), copy=False)


def decode_labels(spec: LabelsSpec, raw: NDArray[np.generic], file_nodata: float | None = None) -> NDArray[np.uint8]:
    """Convert raw labels to class indices.

    Parameters
    ----------
    spec : LabelsSpec
        The raw values of each class.
    raw : array, integer, shape (rows, columns) for codes or (3, rows, columns) for colours
    file_nodata : float or None
        No-data tag of the file; not used for colours.

    Returns
    -------
    array, uint8, shape (rows, columns)
        Indices in ``spec.classes``; ``IGNORED`` for values that are ignored or unknown.
    """
    keys = _pack(spec, raw)
    class_of_key, _ = _lookup_tables(spec.classes, spec.ignore)
    labels: NDArray[np.uint8] = class_of_key.take(keys, mode="clip")
    labels[(keys < 0) | _is_nodata(spec, keys, file_nodata)] = IGNORED
    return labels


def unknown_labels(
    spec: LabelsSpec, raw: NDArray[np.generic], file_nodata: float | None = None
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
    unknown_keys, counts = np.unique(keys[unknown & ~_is_nodata(spec, keys, file_nodata)], return_counts=True)
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


def _is_nodata(spec: LabelsSpec, keys: NDArray[np.signedinteger], file_nodata: float | None) -> NDArray[np.bool_]:
    if file_nodata is None or spec.encoding == "rgb":
        return np.zeros((), dtype=np.bool_)
    return np.asarray(keys == file_nodata)


def _pack_value(value: LabelValue) -> int:
    return value if isinstance(value, int) else (value[0] << 16) | (value[1] << 8) | value[2]


def _unpack_colour(key: int) -> tuple[int, int, int]:
    return key >> 16, (key >> 8) & 255, key & 255
