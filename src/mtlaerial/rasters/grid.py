"""Raster grids: CRS, affine transform and size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS


@dataclass(frozen=True)
class Grid:
    """A raster's CRS, transform from (column, row) to coordinates, and size in pixels."""

    crs: CRS | None
    transform: Affine
    height: int
    width: int

    @classmethod
    def of(cls, source: rasterio.DatasetReader) -> "Grid":
        """Return the grid of an open raster."""
        return cls(source.crs, source.transform, source.height, source.width)

    @property
    def georeferenced(self) -> bool:
        """Whether the file has a geotransform, in itself or in a world file."""
        # GDAL gives the identity for files without one.
        return self.transform != Affine.identity()

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Height and width of a pixel, in units of the CRS."""
        return abs(self.transform.e), abs(self.transform.a)

    @property
    def side_lengths(self) -> tuple[float, float]:
        """Height and width of a pixel along its own sides, in units of the CRS, on rotated grids too."""
        return math.hypot(self.transform.b, self.transform.e), math.hypot(self.transform.a, self.transform.d)

    @property
    def rotated(self) -> bool:
        """Whether rows or columns drift by more than a thousandth of a pixel over the raster."""
        t = self.transform
        return abs(t.b) * self.height > 1e-3 * abs(t.a) or abs(t.d) * self.width > 1e-3 * abs(t.e)

    @property
    def north_up(self) -> bool:
        """Whether rows lead from north to south and columns from west to east."""
        return not self.rotated and self.transform.a > 0 and self.transform.e < 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return min(west, east), min(south, north), max(west, east), max(south, north)

    def window(self, row: int, column: int, height: int, width: int) -> "Grid":
        """Return the grid of a window, which may extend beyond this grid."""
        return Grid(self.crs, self.transform @ Affine.translation(column, row), height, width)

    def to(self, other: "Grid") -> Affine:
        """Return the transform from this grid's (column, row) to another's in the same CRS."""
        mapping: Affine = ~other.transform @ self.transform
        return mapping

    def covering(self, other: "Grid") -> tuple[int, int, int, int]:
        """Return row, column, height, width of the smallest window of this grid that covers another grid."""
        mapping = other.to(self)
        left, top = mapping @ (0, 0)
        right, bottom = mapping @ (other.width, other.height)
        # The bounds of equal extents differ by rounding: an overlap of less than a thousandth of a cell is none.
        row, column = math.floor(top + 1e-3), math.floor(left + 1e-3)
        return row, column, max(1, math.ceil(bottom - 1e-3) - row), max(1, math.ceil(right - 1e-3) - column)


_SAME_AREA = 1e-3
"""Largest relative difference in the areas of cells that counts as rounding of their transforms."""


def area_weights(areas: Sequence[float]) -> NDArray[np.float64]:
    """Return the weights by which counts of cells of different sizes add up to areas.

    Parameters
    ----------
    areas : sequence of float
        Area of a cell of each raster.

    Returns
    -------
    array, shape (rasters,)
        Multiples of the smallest area; exactly 1 for cells as small as that, so that counts on equal grids stay whole.

    Examples
    --------
    >>> area_weights([0.25, 1.0]).tolist()
    [1.0, 4.0]
    """
    multiples = np.array(areas, dtype=np.float64) / min(areas, default=1.0)
    return np.where(abs(multiples - 1) < _SAME_AREA, 1.0, multiples)
