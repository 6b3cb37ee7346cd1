"""Image of which only the pixels in an area count."""

from typing import Any

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.windows import Window

from mtlaerial.rasters.image_source import ImageSource
from mtlaerial.rasters.validity import Mask, Pixels


class ClippedImage:
    """An image whose pixels with their centre outside of an area are invalid; windows without the area are not read.

    Parameters
    ----------
    image : ImageSource
    transform : Affine
        Of the image, from (column, row) to coordinates.
    area : shapely geometry
        Polygons in the same coordinates.
    """

    def __init__(self, image: ImageSource, transform: Affine, area: Any) -> None:
        self.image, self.count, self.dtype = image, image.count, image.dtype
        self.transform, self.area = transform, area
        shapely.prepare(area)  # most windows lie within an area of many corners, which is told quickly then

    def read(self, window: Window) -> Pixels:
        """Read a window; pixels outside of the area are invalid."""
        outside = self._outside(window)
        if outside.all():
            return Pixels(np.zeros((self.count, *outside.shape), self.dtype), outside)
        values, invalid = self.image.read(window)
        if invalid is not None:
            outside |= invalid
        return Pixels(values, outside if outside.any() else None)

    def _outside(self, window: Window) -> Mask:
        rows, columns = int(window.height), int(window.width)
        place = self.transform @ Affine.translation(window.col_off, window.row_off)
        corners = [place @ corner for corner in ((0, 0), (columns, 0), (columns, rows), (0, rows))]
        outline = shapely.Polygon(corners)
        if shapely.contains(self.area, outline):
            return np.zeros((rows, columns), np.bool_)
        parts = shapely.get_parts(shapely.intersection(self.area, outline))
        # A side of the area along one of the window's is a part, too: a line, whose pixels GDAL would burn.
        polygons = parts[shapely.area(parts) > 0]
        if not len(polygons):
            return np.ones((rows, columns), np.bool_)
        return np.asarray(geometry_mask(polygons, (rows, columns), place))
