"""Conversion of a layer's values to those that its file stores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.maps.layer import RasterLayer


def stored_limits(layer: RasterLayer) -> tuple[float, float]:
    """Return the least and the greatest value that a layer of whole numbers stores; no-data is beyond one of them.

    Examples
    --------
    >>> stored_limits(RasterLayer("height", ("height",), "int16", -32768))
    (-32767, 32767)
    """
    limits = np.iinfo(layer.dtype)
    low, high = int(limits.min), int(limits.max)
    return low + (layer.nodata == low), high - (layer.nodata == high)


def to_stored(values: NDArray[Any], layer: RasterLayer) -> tuple[NDArray[Any], int]:
    """Return values as a file stores them, and how many are beyond its dtype; those become its limits.

    Parameters
    ----------
    values : array
        In the layer's unit, NaN where there is none; or whole numbers of the layer's dtype, as codes of classes are,
        which stay.
    layer : RasterLayer

    Examples
    --------
    >>> layer = RasterLayer("height", ("height",), "int16", -32768, "metre", 0.01, lowest=0.0)
    >>> to_stored(np.float32([1.234, -0.2, np.nan, 400]), layer)
    (array([   123,      0, -32768,  32767], dtype=int16), 1)
    """
    if layer.dtype != "float32" and values.dtype == layer.dtype:
        return values, 0
    if layer.lowest is not None:
        values = np.maximum(values, np.float32(layer.lowest))  # NaN stays
    if layer.dtype == "float32":
        return values.astype(np.float32, copy=False), 0
    steps = np.rint(np.multiply(values, 1 / layer.scale, dtype=np.float32))
    low, high = stored_limits(layer)
    # fmin and fmax skip NaN; the extremes tell without another array that nothing is beyond.
    beyond = 0
    if steps.size and (np.fmin.reduce(steps, axis=None) < low or np.fmax.reduce(steps, axis=None) > high):
        beyond = int(np.count_nonzero((steps < low) | (steps > high)))
        np.clip(steps, low, high, out=steps)
    np.copyto(steps, layer.nodata, where=np.isnan(steps))
    return steps.astype(layer.dtype), beyond


def present_mask(stored: NDArray[Any], layer: RasterLayer) -> NDArray[np.bool_]:
    """Return which stored values are some: not no-data, and of floats only finite ones."""
    present: NDArray[np.bool_] = np.isfinite(stored) if layer.dtype == "float32" else stored != layer.nodata
    return present
