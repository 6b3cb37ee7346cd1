"""Preparation of tiles: image, height, labels and eroded labels as memory-mappable GeoTIFFs, each on its own grid.

Raw files are streamed in blocks of rows, so that memory does not grow with the raster.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import IGNORED, LabelsSpec, Layer
from mtlaerial.datasets.buffer import read_held_out
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.decode import decode_height, decode_labels
from mtlaerial.datasets.footprints import Footprint
from mtlaerial.datasets.sources import raw_sources, tile_keys
from mtlaerial.datasets.tile_windows import image_window, layer_window
from mtlaerial.rasters.geotiff import (
    PREPARED,
    create_raster,
    map_raster,
    open_raster,
    reading,
    row_blocks,
    without_data,
)
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import discard, remove_leftovers
from mtlaerial.tiles.buffer_mask import Mask, with_buffer
from mtlaerial.tiles.padded_blocks import Block, padded_blocks
from mtlaerial.tiles.record import RECORD, write_record

ABSENT = {"MTLAERIAL": "absent"}
"""Tag of an absent layer, which is written as a single no-data cell, so that readers need no special case."""


def prepare_tile(dataset: Dataset, tile: str, folder: Path, held_out: Sequence[Footprint] | None = None) -> None:
    """Write ``image.tif``, ``height.tif``, ``labels.tif`` and ``eroded.tif`` of a tile, and last its ``tile.json``.

    The image has the specified bands in the file's dtype; height is float32 in metres with NaN for no-data; labels and
    eroded labels are uint8 class indices in the order of the specification, ``IGNORED`` for no-data.

    Parameters
    ----------
    dataset : Dataset
        The specification and the folder of the raw files.
    tile : str
        The tile's name.
    folder : Path
        The folder to write to.
    held_out : sequence of Footprint, optional
        The tiles that ``buffer`` of the specification keeps the tile's truth away from; by default they are read from
        the images' headers.

    Raises
    ------
    DataError
        When a file is missing or damaged, or has no georeference though there is a buffer.
    """
    sources = raw_sources(dataset, tile)  # before they are read: a change meanwhile is noticed by the next reader
    remove_leftovers(folder)
    discard(folder / RECORD)
    path, row, column, grid = image_window(dataset, tile)
    _write_image(dataset, path, Window(column, row, grid.width, grid.height), grid, folder / "image.tif")
    if held_out is None:
        held_out = read_held_out(dataset, tile)
    mask = with_buffer(_ImageMask(folder / "image.tif"), dataset, tile, held_out)
    _write_height(dataset, tile, grid, folder / "height.tif", mask)
    _write_labels(dataset, "labels", tile, grid, folder / "labels.tif", mask)
    _write_labels(dataset, "eroded", tile, grid, folder / "eroded.tif", mask)
    write_record(folder, tile_keys(dataset, tile), sources)


def _write_image(dataset: Dataset, path: Path, window: Window, grid: Grid, target: Path) -> None:
    spec = dataset.spec.image
    with open_raster(path) as source:
        nodata = spec.nodata if spec.nodata is not None else source.nodata
        profile = {**PREPARED, "count": len(spec.bands), "dtype": source.dtypes[spec.bands[0] - 1], "nodata": nodata}
        with create_raster(target, grid, **profile) as out:
            out.descriptions = spec.band_names
            for top, rows in row_blocks(grid.height):
                part = Window(window.col_off, window.row_off + top, grid.width, rows)
                with reading(path):
                    pixels = source.read(spec.bands, window=part)
                out.write(pixels, window=Window(0, top, grid.width, rows))


class _ImageMask:
    """Mask of the cells of a layer whose centre lies outside a tile's image or on a pixel without data."""

    def __init__(self, path: Path) -> None:
        with open_raster(path) as source:
            self.grid, self.nodata = Grid.of(source), source.nodata
        image = map_raster(path)
        self.image = image if image.ndim == 3 else image[..., None]

    def __call__(self, layer: Grid) -> NDArray[np.bool_]:
        """Return the mask of a layer, or of a part of it, shape (rows, columns)."""
        mapping = layer.to(self.grid)
        # 1e-6: a centre on the edge between two pixels belongs to the first, whatever the rounding.
        rows = np.floor((np.arange(layer.height) + 0.5) * mapping.e + mapping.f - 1e-6).astype(int)
        columns = np.floor((np.arange(layer.width) + 0.5) * mapping.a + mapping.c - 1e-6).astype(int)
        y, x = rows.clip(0, self.grid.height - 1)[:, None], columns.clip(0, self.grid.width - 1)
        outside: NDArray[np.bool_] = (y != rows[:, None]) | (x != columns)
        return outside if self.nodata is None else outside | without_data(self.image[y, x], self.nodata)


def _write_height(dataset: Dataset, tile: str, image: Grid, target: Path, mask: Mask) -> None:
    spec, files = dataset.spec.height, dataset.files("height", tile)
    profile = {**PREPARED, "count": 1, "dtype": "float32", "nodata": float("nan")}
    if spec is None or not files:
        _write_absent(target, image, np.float32("nan"), profile)
        return
    row, column, grid = layer_window(files[0], image)
    # Two files are the surface and the ground, which have the same cells.
    ground_blocks = padded_blocks(files[1], *layer_window(files[1], image)[:2], grid) if len(files) == 2 else None
    with create_raster(target, grid, **profile) as out:
        out.units = ("metre",)
        out.descriptions = ("height above ground",)
        for block in padded_blocks(files[0], row, column, grid):
            ground = next(ground_blocks) if ground_blocks else None
            if ground:
                height = decode_height(spec, block.raw[0], ground.raw[0], block.nodata, ground.nodata)
            else:
                height = decode_height(spec, block.raw[0], None, block.nodata)
            for absent in _absent_cells(block, ground, mask, grid):
                height[absent] = np.nan
            out.write(height, 1, window=Window(0, block.top, grid.width, height.shape[0]))


def _write_labels(dataset: Dataset, layer: Layer, tile: str, image: Grid, target: Path, mask: Mask) -> None:
    files = dataset.files(layer, tile)
    profile = {**PREPARED, "count": 1, "dtype": "uint8", "nodata": IGNORED}
    if dataset.spec.labels is None or not files:
        _write_absent(target, image, np.uint8(IGNORED), profile)
        return
    spec = dataset.spec.labels.of(layer)
    row, column, grid = layer_window(files[0], image)
    with create_raster(target, grid, **profile) as out:
        out.write_colormap(1, colour_table(spec))
        out.descriptions = ("class",)
        for block in padded_blocks(files[0], row, column, grid):
            raw = block.raw[:3] if spec.encoding == "rgb" else block.raw[0]
            labels = decode_labels(spec, raw, block.nodata)
            for absent in _absent_cells(block, None, mask, grid):
                labels[absent] = IGNORED
            out.write(labels, 1, window=Window(0, block.top, grid.width, labels.shape[0]))


def _absent_cells(block: Block, ground: Block | None, mask: Mask, grid: Grid) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of the cells of a block that lie outside the layer's files or have no image data."""
    if block.outside is not None:
        yield block.outside
    if ground is not None and ground.outside is not None:
        yield ground.outside
    yield mask(grid.window(block.top, 0, block.raw.shape[1], grid.width))


def colour_table(spec: LabelsSpec) -> dict[int, tuple[int, int, int]]:
    """Return the colour of each class index, for the palette of a GeoTIFF."""
    return {code: entry.colour for code, entry in enumerate(spec.classes)}


def _write_absent(target: Path, image: Grid, value: np.generic, profile: dict[str, object]) -> None:
    """Write an absent layer: one cell without data over the whole image."""
    transform = image.transform @ image.transform.scale(image.width, image.height)
    with create_raster(target, Grid(image.crs, transform, 1, 1), **profile) as out:
        out.write(np.full((1, 1, 1), value))
        out.update_tags(**ABSENT)
