"""The mask of a tile's pixels without image: in an unnamed file while the tile is prepared, then in the tile."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.features import geometry_mask
from rasterio.windows import Window

from mtlaerial.rasters.geotiff import row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import writable


def invalid_pixels(source: rasterio.DatasetReader, window: Window | None = None) -> NDArray[np.bool_] | None:
    """Return the mask of the invalid pixels of a prepared image, shape (rows, columns); None if it has no mask."""
    if MaskFlags.all_valid in source.mask_flag_enums[0]:
        return None
    return np.asarray((source.read_masks(window=window) == 0).all(axis=0))


class ImageMask:
    """Mask of invalid pixels, a bit each on disk, so that memory does not grow with the tile.

    Parameters
    ----------
    grid : Grid
        The image's grid.
    folder : Path
        Folder of the unnamed file, which the system frees even when the process is killed.
    excluded : shape, optional
        Ground, in the CRS of the grid, whose cells are masked too; the image stays.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """

    def __init__(self, grid: Grid, folder: Path, excluded: Any = None) -> None:
        self.grid = grid
        self._excluded = excluded
        self._row_bytes = -(-grid.width // 8)
        with writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(dir=folder)  # noqa: SIM115  # closed by __exit__
            # Rows that are never written take no space on disk, and read as valid.
            self._file.truncate(grid.height * self._row_bytes)
        self._bits: NDArray[np.uint8] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, top: int, invalid: NDArray[np.bool_] | None) -> None:
        """Add a block of rows, shape (rows, columns); None where all pixels are valid."""
        if invalid is None:
            return
        self._file.seek(top * self._row_bytes)
        self._file.write(np.packbits(invalid, axis=1).data)
        self._file.flush()
        if self._bits is None:
            self._bits = np.memmap(self._file, np.uint8, "r", shape=(self.grid.height, self._row_bytes))

    def valid_blocks(self) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield blocks of the mask of valid pixels, each with its first row; none if all pixels are valid."""
        if self._bits is None:
            return
        for top, rows in row_blocks(self.grid.height):
            invalid = np.unpackbits(self._bits[top : top + rows], axis=1, count=self.grid.width)
            yield top, invalid == 0

    def cells(self, layer: Grid) -> NDArray[np.bool_]:
        """Return the mask of cells whose centre is outside the image, on an invalid pixel or excluded ground.

        Parameters
        ----------
        layer : Grid
            Grid of a layer, or of a part of it.

        Returns
        -------
        array of bool, shape (rows, columns)
        """
        mapping = layer.to(self.grid)
        # 1e-6: a centre on the edge between two pixels belongs to the first, whatever the rounding.
        rows = np.floor((np.arange(layer.height) + 0.5) * mapping.e + mapping.f - 1e-6).astype(int)
        columns = np.floor((np.arange(layer.width) + 0.5) * mapping.a + mapping.c - 1e-6).astype(int)
        y, x = rows.clip(0, self.grid.height - 1)[:, None], columns.clip(0, self.grid.width - 1)
        outside: NDArray[np.bool_] = (y != rows[:, None]) | (x != columns)
        absent = outside if self._bits is None else outside | self._at(y, x)
        if self._excluded is None:
            return absent
        shape = layer.height, layer.width
        excluded: NDArray[np.bool_] = geometry_mask([self._excluded], shape, layer.transform, invert=True)
        return absent | excluded

    def _at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        assert self._bits is not None
        # packbits puts the first pixel of eight into the highest bit.
        return np.asarray((self._bits[rows, columns >> 3] >> (7 - (columns & 7)) & 1).astype(np.bool_))
