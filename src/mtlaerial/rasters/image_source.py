"""Sources of an image's pixels: the file itself, and sources that resample, convert or clip another one."""

from typing import Any, Protocol

import numpy as np
from rasterio.windows import Window

from mtlaerial.rasters.validity import Pixels


class ImageSource(Protocol):
    """An image that is read by windows."""

    @property
    def count(self) -> int:
        """Number of bands."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the values that are read."""
        ...

    def read(self, window: Window) -> Pixels:
        """Read a window that lies in the image.

        Raises
        ------
        DataError
            When the pixels are damaged.
        """
        ...
