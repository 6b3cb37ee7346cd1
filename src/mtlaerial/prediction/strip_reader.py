"""Reader of an image for the blender: strips with the mask of their invalid pixels."""

from pathlib import Path

import torch
from rasterio.windows import Window

from mtlaerial.prediction.blending.strips import Read, Strip
from mtlaerial.rasters.geotiff import reading
from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.validity import fill_value


def strip_reader(path: Path, image: ImageSource, value_range: tuple[float, float]) -> Read:
    """Return the reader of an open image; at invalid pixels the network sees the fill value, as in training.

    Parameters
    ----------
    path : Path
        The image, for errors.
    image : ImageSource
    value_range : tuple of float
        The range of values that the run was trained with.
    """

    def read(row: int, column: int, rows: int, columns: int) -> Strip:
        with reading(path):
            values, invalid = image.read(Window(column, row, columns, rows))
        if invalid is None:
            return Strip(torch.from_numpy(values), None)
        values[:, invalid] = fill_value(values.dtype, value_range)
        return Strip(torch.from_numpy(values), torch.from_numpy(invalid))

    return read
