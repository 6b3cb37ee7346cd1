"""Image whose values are brought from a stated linear range to another one, in another data type."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.validity import Pixels


class ConvertedImage:
    """An image in another linear range of values, and the number of values that had to be clipped.

    A value v becomes low + (v - first) (high - low) / (last - first), limited to low and high, and for integers rounded
    to the nearest. Which pixels are no image stays as it is.

    Parameters
    ----------
    image : ImageSource
    stated : tuple of float
        ``first`` and ``last``: values of the image.
    target : tuple of float
        ``low`` and ``high``: what they become.
    dtype : str
        Data type of the result.

    Attributes
    ----------
    values, clipped : int
        Valid values that were read, and those of them beyond the stated range.
    """

    def __init__(
        self, image: ImageSource, stated: tuple[float, float], target: tuple[float, float], dtype: str
    ) -> None:
        self.image, self.stated, self.target = image, stated, target
        self.count, self.dtype = image.count, np.dtype(dtype)
        self.values = self.clipped = 0

    def read(self, window: Window) -> Pixels:
        """Read a window and convert it."""
        values, invalid = self.image.read(window)
        first, last = self.stated
        outside = (values < first) | (values > last)
        if invalid is not None:
            outside &= ~invalid
        valid_pixels = values[0].size if invalid is None else int(np.count_nonzero(~invalid))
        self.values += valid_pixels * len(values)
        self.clipped += int(np.count_nonzero(outside))
        return Pixels(self._converted(values), invalid)

    def _converted(self, values: NDArray[Any]) -> NDArray[Any]:
        (first, last), (low, high) = self.stated, self.target
        # float32 holds all values of 16 bits, in half the memory.
        single = values.dtype.itemsize <= 2 or values.dtype == np.float32
        scaled: NDArray[Any] = values.astype(np.float32 if single else np.float64)
        scaled -= first
        scaled *= (high - low) / (last - first)
        scaled += low
        np.clip(scaled, low, high, out=scaled)
        if self.dtype.kind in "ui":
            # NaN is no image, and no integer either; the reader fills such pixels.
            np.rint(np.nan_to_num(scaled, copy=False, nan=low), out=scaled)
        return scaled.astype(self.dtype, copy=False)
