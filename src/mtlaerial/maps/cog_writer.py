"""Writer of a layer as a cloud-optimised GeoTIFF, made at once from blocks that arrive while the network runs."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.windows import Window

from mtlaerial.maps.annotation import annotate, write_colours, write_statistics
from mtlaerial.maps.band_statistics import BandStatistics
from mtlaerial.maps.cog_layout import write_cog
from mtlaerial.maps.layer import RasterLayer
from mtlaerial.maps.overviews import level_sizes
from mtlaerial.maps.pyramid import Pyramid
from mtlaerial.maps.stored_values import stored_limits, to_stored
from mtlaerial.rasters.geotiff import writing_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import discard, partial_path

log = logging.getLogger(__name__)
LEVEL = {"driver": "GTiff", "interleave": "pixel", "BIGTIFF": "YES", "ENDIANNESS": "LITTLE"}
"""Form of the levels' files, as :mod:`mtlaerial.maps.tiff_directory` reads it."""


class CogWriter:
    """The open file of a layer; see :func:`open_cog`.

    Attributes
    ----------
    path : Path
        The file's final path.
    layer : RasterLayer
    statistics : BandStatistics
        Of the tiles in full resolution that are complete.
    beyond : int
        Number of values so far that the layer's dtype does not hold.
    """

    def __init__(self, path: Path, layer: RasterLayer, levels: list[rasterio.io.DatasetWriter]) -> None:
        self.path, self.layer = path, layer
        self.statistics, self.beyond = BandStatistics(layer), 0
        self._levels = levels
        self.pyramid = Pyramid(layer, levels[0].height, levels[0].width, self._write_tile, path.parent)

    def write(self, row: int, column: int, values: NDArray[Any]) -> None:
        """Write a block of values at a row and column, each pixel once.

        Parameters
        ----------
        row, column : int
        values : array, shape (rows, columns) or (bands, rows, columns)
            In the layer's unit, NaN where there is none; or of the layer's dtype, as they are stored.
        """
        stored, beyond = to_stored(values, self.layer)
        self.beyond += beyond
        self.pyramid.add(row, column, stored.reshape(len(self.layer.bands), *values.shape[-2:]))

    def _write_tile(self, level: int, top: int, left: int, tile: NDArray[Any]) -> None:
        self._levels[level].write(tile, window=Window(left, top, tile.shape[2], tile.shape[1]))
        if level == 0:
            self.statistics.add(tile)

    def warn_of_limits(self) -> None:
        """Warn where values were beyond the layer's dtype."""
        if self.beyond:
            low, high = (limit * self.layer.scale for limit in stored_limits(self.layer))
            log.warning(
                "%s: %d pixels are beyond what %s holds at a scale of %g, %g to %g %s, and stored as these limits; "
                "--heights float32 stores their values",
                *(self.path, self.beyond, self.layer.dtype, self.layer.scale, low, high, self.layer.unit),
            )


@contextmanager
def open_cog(path: Path, grid: Grid, layer: RasterLayer, tags: Mapping[str, str]) -> Iterator[CogWriter]:
    """Open a cloud-optimised GeoTIFF with overviews for blocks in any order; it appears when the block succeeds.

    A tile is compressed once, as soon as it is complete, and its overview is made of the pixels in memory. Until the
    end each level is a hidden file of its own beside ``path``; then the compressed tiles are moved together.

    Raises
    ------
    DataError
        When the folder is not writable, the disk is full, or GDAL fails.
    """
    with writing_raster(path) as partial, ExitStack() as clean_up:
        sizes = level_sizes(grid.height, grid.width)
        files = [partial_path(path).with_suffix(f".{level}.tif") for level in range(len(sizes))]
        for file in files:
            clean_up.callback(discard, file)
        with ExitStack() as stack:
            levels = [stack.enter_context(_create(files[0], sizes[0], layer, grid))]
            levels += [stack.enter_context(_create(*level, layer)) for level in zip(files[1:], sizes[1:], strict=True)]
            annotate(levels[0], layer, tags)
            for overview in levels[1:]:
                write_colours(overview, layer)
            writer = CogWriter(path, layer, levels)
            with writer.pyramid:
                yield writer
            write_statistics(levels[0], writer.statistics)
        write_cog(files, partial)
    writer.warn_of_limits()


@contextmanager
def _create(
    path: Path, size: tuple[int, int], layer: RasterLayer, grid: Grid | None = None
) -> Iterator[rasterio.io.DatasetWriter]:
    """Create the file of a level; overviews have no grid of their own."""
    place: dict[str, Any] = {}
    if grid:
        place = {"crs": grid.crs, **({"transform": grid.transform} if grid.georeferenced else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", height=size[0], width=size[1], **LEVEL, **layer.profile, **place) as out:
            yield out
