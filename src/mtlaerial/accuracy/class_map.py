"""Class map of an image, read block by block: the strata of its check points."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from mtlaerial.config import IGNORED
from mtlaerial.errors import DataError
from mtlaerial.maps.map_folder import read_folder
from mtlaerial.rasters.geotiff import open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.rasters.metric_crs import require_metric_crs
from mtlaerial.system.progress import track

ROWS = 512
"""Rows of a block: those of the tiles of cloud-optimised maps."""
CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""GDAL's block cache in bytes; GDAL's default grows with the machine's memory."""
_PREFIX = "CLASS_"
_ID_LENGTH = 12


@dataclass(frozen=True)
class ClassMap:
    """A map of classes in a projected CRS.

    Attributes
    ----------
    path : Path
        ``semantics.tif`` in the folder of the maps, or the VRT of all sheets of a region.
    grid : Grid
    names : tuple of str
        Class of each code from 0.
    """

    path: Path
    grid: Grid
    names: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> "ClassMap":
        """Return the class map in a folder of maps, as ``mtlaerial predict`` or the mapping of a region writes it.

        Raises
        ------
        DataError
            When the folder has none, it has no names of classes, or areas on its grid would be wrong.
        """
        path = read_folder(folder).class_map
        with open_raster(path) as source:
            grid = Grid.of(source)
            require_metric_crs(path, grid)
            return cls(path, grid, _class_names(path, source))

    @property
    def crs(self) -> str:
        """CRS of the map as WKT."""
        assert self.grid.crs is not None
        return str(self.grid.crs.to_wkt())

    @property
    def pixel_area(self) -> float:
        """Area of a pixel on the ground in m²."""
        return ground_cell_area(self.grid)

    def blocks(self, what: str) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield the first row and the codes of each block, shape (rows, columns), with a progress bar.

        Raises
        ------
        DataError
            When a pixel has a code without a class.
        """
        tops = list(row_blocks(self.grid.height, ROWS))
        with rasterio.Env(**CACHE), open_raster(self.path) as source:
            for top, rows in track(tops, len(tops), what, "block"):
                codes = source.read(1, window=((top, top + rows), (0, self.grid.width)))
                self._require_known(codes)
                yield top, codes

    def _require_known(self, codes: NDArray[np.uint8]) -> None:
        unknown = codes[(codes >= len(self.names)) & (codes != IGNORED)]
        if len(unknown):
            expected = f"codes from 0 to {len(self.names) - 1}, or {IGNORED} for no class"
            raise DataError(self.path, f"the code {unknown[0]}", expected, "Predict again.")

    def count(self) -> NDArray[np.int64]:
        """Return the number of pixels of each class, shape (classes,)."""
        counts = np.zeros(len(self.names), dtype=np.int64)
        for _, codes in self.blocks("counting classes"):
            # np.bincount would make a copy of eight bytes per pixel.
            counts += [np.count_nonzero(codes == code) for code in range(len(counts))]
        return counts

    def identity(self, counts: NDArray[np.int64]) -> str:
        """Return a short hash of grid, classes and their pixels, by which points tell the map they were drawn from."""
        content = self.crs, tuple(self.grid.transform), self.grid.height, self.grid.width, self.names, counts.tolist()
        return hashlib.sha256(repr(content).encode()).hexdigest()[:_ID_LENGTH]


def _class_names(path: Path, source: rasterio.DatasetReader) -> tuple[str, ...]:
    tags: dict[str, Any] = source.tags()
    codes = {key.removeprefix(_PREFIX): name for key, name in tags.items() if key.startswith(_PREFIX)}
    names = tuple(codes[str(code)] for code in range(len(codes)) if str(code) in codes)
    if not names or len(names) < len(codes) or source.dtypes[0] != "uint8":
        expected = "a class map of mtlaerial predict: uint8, with the tags CLASS_0, CLASS_1, …"
        raise DataError(path, f"{source.dtypes[0]} with {len(names)} names of classes", expected, "Predict again.")
    return names
