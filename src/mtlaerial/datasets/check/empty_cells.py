"""The value of cells that a reprojected layer leaves empty, for commands in error messages."""

from collections.abc import Iterator

import numpy as np

from mtlaerial.config import DatasetSpec, Layer
from mtlaerial.datasets.check.image_gate.header import RasterHeader


def empty_cells(spec: DatasetSpec, layer: Layer, header: RasterHeader) -> str:
    """Return the option of `rio warp` that marks cells outside a layer's file as no-data.

    The value is one that the specification takes for no data; else one that is no class, or the end of the data type.
    The option is empty where the file marks no-data itself.
    """
    if header.tagged_nodata or header.alpha_bands:
        return ""
    dtype = np.dtype(header.dtypes[0])
    values = _height_values(spec, dtype) if layer == "height" else _label_values(spec, layer, dtype)
    value = next(values, None)
    return "" if value is None else f"--src-nodata {value:.17g}"


def _height_values(spec: DatasetSpec, dtype: np.dtype) -> Iterator[float]:
    """Yield the values that may mark cells without a height."""
    if spec.height is not None and spec.height.nodata is not None and _fits(spec.height.nodata, dtype):
        yield spec.height.nodata
    if dtype.kind == "f":
        yield float("nan")
    elif dtype.kind in "ui":
        limits = np.iinfo(dtype)
        yield limits.min if dtype.kind == "i" else limits.max


def _label_values(spec: DatasetSpec, layer: Layer, dtype: np.dtype) -> Iterator[float]:
    """Yield the values that may mark cells without a class; of colours those with equal bands."""
    if spec.labels is None or dtype.kind not in "ui":
        return
    labels = spec.labels.of(layer)
    classes = {value for entry in labels.classes for value in entry.values}
    if labels.encoding == "rgb":
        greys = [value for value in range(256) if (value,) * 3 not in classes]
        yield from sorted(greys, key=lambda value: (value,) * 3 not in labels.ignore)
        return
    yield from (value for value in labels.ignore if isinstance(value, int) and _fits(value, dtype))
    limits = np.iinfo(dtype)
    yield from (value for value in range(limits.max, limits.min - 1, -1) if value not in classes)


def _fits(value: float, dtype: np.dtype) -> bool:
    """Tell whether a data type has a value exactly."""
    if dtype.kind == "f":
        return True
    return dtype.kind in "ui" and float(value).is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
