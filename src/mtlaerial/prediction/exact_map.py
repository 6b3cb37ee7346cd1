"""Plain GeoTIFF of a map's exact values, written by blocks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.maps.annotation import annotate
from mtlaerial.maps.layer import RasterLayer
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid

Write = Callable[[int, int, NDArray[Any]], None]
"""Takes the first row and column of a block, and its values, shape (rows, columns) or (bands, rows, columns)."""


@contextmanager
def open_exact(path: Path, grid: Grid, layer: RasterLayer, tags: Mapping[str, str]) -> Iterator[Write]:
    """Open a plain tiled GeoTIFF, and yield the function that writes blocks of it."""
    with create_raster(path, grid, **layer.profile) as out:
        annotate(out, layer, tags)

        def write(row: int, column: int, block: NDArray[Any]) -> None:
            rows, columns = block.shape[-2:]
            out.write(block.reshape(out.count, rows, columns), window=Window(column, row, columns, rows))

        yield write
