"""The part of a layer's file that a tile covers."""

from dataclasses import dataclass
from pathlib import Path

from rasterio.windows import Window

from mtlaerial.datasets.decode import Scaling
from mtlaerial.rasters.grid import Grid


@dataclass(frozen=True)
class Part:
    """The part of a layer's file that a tile covers.

    Attributes
    ----------
    path : Path
    row, column : int
        First pixel of the part in the file; the part may extend beyond the file.
    grid : Grid
        The part's.
    rows, columns : int
        Size of the whole file.
    dtype : str
    bands : int
    nodata : float or None
        No-data tag of the file.
    used : tuple of int
        The bands to read.
    scaling : Scaling
        Scale and offset tags of a height file.
    """

    path: Path
    row: int
    column: int
    grid: Grid
    rows: int
    columns: int
    dtype: str
    bands: int
    nodata: float | None
    used: tuple[int, ...]
    scaling: Scaling

    @property
    def window(self) -> Window:
        """The window of the file that the part is in."""
        top, bottom, left, right = self.inside
        return Window(self.column + left, self.row + top, right - left, bottom - top)

    @property
    def inside(self) -> tuple[int, int, int, int]:
        """Rows and columns of the part that lie inside the file: first, past the last, first, past the last."""
        top, left = max(0, -self.row), max(0, -self.column)
        bottom, right = self.rows - self.row, self.columns - self.column
        return top, min(self.grid.height, bottom), left, min(self.grid.width, right)
