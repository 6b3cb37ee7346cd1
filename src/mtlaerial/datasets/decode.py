"""What the raw values of height and label files mean: metres, and class indices."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED, ClassSpec, HeightSpec, LabelsSpec
from mtlaerial.errors import DataError

LabelValue = int | tuple[int, int, int]
"""A raw value of a label file: a code, or red, green, blue."""


def decode_height(
    spec: HeightSpec,
    raw: NDArray[np.generic],
    ground: NDArray[np.generic] | None,
    file_nodata: float | None,
    ground_nodata: float | None = None,
) -> NDArray[np.float32]:
    """Turn raw heights into metres above ground.

    Parameters
    ----------
    spec : HeightSpec
        Scale, no-data values and range of the layer. Scale and offset apply to the difference of surface and ground.
    raw : array, any real dtype, shape (rows, columns)
        Heights, or surface elevations where ``ground`` is given.
    ground : array, any real dtype, shape (rows, columns), or None
        Ground elevations in the same unit.
    file_nodata, ground_nodata : float or None
        The files' own no-data tags.

    Returns
    -------
    array, float32, shape (rows, columns)
        Metres within ``spec.valid_range``; NaN where there is no data.
    """
    value, absent = as_real(raw), height_absent(spec, raw, file_nodata)
    if ground is not None:
        value, absent = value - as_real(ground), absent | height_absent(spec, ground, ground_nodata)
    with np.errstate(over="ignore", invalid="ignore"):
        metres = value * spec.scale + spec.offset
        lowest, highest = spec.valid_range
        absent = absent | ~((metres >= lowest) & (metres <= highest))
        metres[absent] = np.nan
        return metres.astype(np.float32)


def height_absent(spec: HeightSpec, raw: NDArray[np.generic], file_nodata: float | None) -> NDArray[np.bool_]:
    """Tell which raw values, shape (rows, columns), mean no data; the range in metres is not looked at."""
    value = as_real(raw)
    absent: NDArray[np.bool_] = np.isnan(value)
    for nodata in (spec.nodata, file_nodata):
        if nodata is not None:
            absent |= value == value.dtype.type(nodata)
    if spec.nodata_above is not None:
        absent |= value >= spec.nodata_above
    return absent


def as_real(raw: NDArray[np.generic]) -> NDArray[np.floating]:
    """Return values as float32, or float64 where float32 would lose digits."""
    return raw.astype(np.result_type(raw.dtype, np.float32), copy=False)


def decode_labels(spec: LabelsSpec, raw: NDArray[np.generic], file_nodata: float | None = None) -> NDArray[np.uint8]:
    """Turn raw labels into class indices.

    Parameters
    ----------
    spec : LabelsSpec
        The raw values of each class.
    raw : array, integer, shape (rows, columns) for codes or (3, rows, columns) for colours
    file_nodata : float or None
        The file's own no-data tag; colours have none.

    Returns
    -------
    array, uint8, shape (rows, columns)
        The class's index in ``spec.classes``; ``IGNORED`` for values that are ignored or unknown.
    """
    keys = _keys(spec, raw)
    classes, _ = _tables(spec.classes, spec.ignore)
    labels: NDArray[np.uint8] = classes.take(keys, mode="clip")
    labels[(keys < 0) | _tagged(spec, keys, file_nodata)] = IGNORED
    return labels


def unknown_labels(
    spec: LabelsSpec, raw: NDArray[np.generic], file_nodata: float | None = None
) -> dict[LabelValue, int]:
    """Count the raw values that are neither a class's nor ignored; see :func:`decode_labels` for the parameters.

    Returns
    -------
    dict
        Pixels per unknown code or colour, in ascending order of the values.
    """
    keys = _keys(spec, raw)
    _, known = _tables(spec.classes, spec.ignore)
    unknown = (keys < 0) | ~known.take(keys, mode="clip")
    found, counts = np.unique(keys[unknown & ~_tagged(spec, keys, file_nodata)], return_counts=True)
    values = [_unpacked(key) for key in found.tolist()] if spec.encoding == "rgb" else found.tolist()
    return dict(zip(values, counts.tolist(), strict=True))


@lru_cache(maxsize=4)
def _tables(
    entries: tuple[ClassSpec, ...], ignore: tuple[LabelValue, ...]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return, by packed value, the class's index and whether it is known; the last entry stands for all above."""
    indices = {_packed(value): index for index, entry in enumerate(entries) for value in entry.values}
    indices |= {_packed(value): IGNORED for value in ignore}
    classes = np.full(max(indices) + 2, IGNORED, dtype=np.uint8)
    known = np.zeros(len(classes), dtype=np.bool_)
    classes[list(indices)], known[list(indices)] = list(indices.values()), True
    return classes, known


def _keys(spec: LabelsSpec, raw: NDArray[np.generic]) -> NDArray[np.signedinteger]:
    """Return one signed integer per pixel."""
    if raw.dtype.kind not in "ui":
        raise DataError("labels", f"{raw.dtype} values", "integers", "Convert the labels to an integer type.")
    if spec.encoding == "codes":
        return raw.astype(np.int64)
    red, green, blue = raw.astype(np.int32)
    return np.asarray((red << 16) | (green << 8) | blue)


def _tagged(spec: LabelsSpec, keys: NDArray[np.signedinteger], file_nodata: float | None) -> NDArray[np.bool_]:
    tagged = file_nodata is not None and spec.encoding == "codes"
    return keys == file_nodata if tagged else np.zeros((), dtype=np.bool_)


def _packed(value: LabelValue) -> int:
    return value if isinstance(value, int) else (value[0] << 16) | (value[1] << 8) | value[2]


def _unpacked(key: int) -> tuple[int, int, int]:
    return key >> 16, (key >> 8) & 255, key & 255
