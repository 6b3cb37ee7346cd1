"""Preparation of tiles: image, height, labels and eroded labels as memory-mappable GeoTIFFs, each on its own grid.

Raw files are streamed in blocks of rows, so that memory does not grow with the raster.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from mtlaerial.config import IGNORED, HeightSpec, LabelsSpec, Layer
from mtlaerial.datasets.buffer import buffer_zone, read_held_out
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.decode import RawHeights, decode_height, decode_labels, height_scaling
from mtlaerial.datasets.footprints import Footprint
from mtlaerial.datasets.sources import raw_sources, tile_keys
from mtlaerial.datasets.tile_windows import image_window, layer_window
from mtlaerial.rasters.geotiff import PREPARED, create_masked_raster, create_raster, open_raster, reading, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.validity import MaskedBands, fill_value
from mtlaerial.system.files import discard, remove_leftovers
from mtlaerial.tiles.image_mask import ImageMask
from mtlaerial.tiles.padded_blocks import padded_blocks
from mtlaerial.tiles.record import RECORD, write_record

ABSENT = {"MTLAERIAL": "absent"}
"""Tag of an absent layer, which is written as a single no-data cell, so that readers need no special case."""


def prepare_tile(dataset: Dataset, tile: str, folder: Path, held_out: Sequence[Footprint] | None = None) -> None:
    """Write ``image.tif``, ``height.tif``, ``labels.tif`` and ``eroded.tif`` of a tile, and last its ``tile.json``.

    The image has the specified bands in the file's dtype. Pixels that are not image, however the file or the
    specification says so, have one fill value in all bands, and an internal mask marks them; a tile without such pixels
    has no mask. Height is float32 in metres with NaN for no-data; labels and eroded labels are uint8 class indices in
    the order of the specification, ``IGNORED`` for no-data.

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
    if held_out is None:
        held_out = read_held_out(dataset, tile)
    with ImageMask(grid, folder, buffer_zone(dataset, tile, held_out)) as mask:
        _write_image(dataset, path, Window(column, row, grid.width, grid.height), folder / "image.tif", mask)
        _write_height(dataset, tile, folder / "height.tif", mask)
        _write_labels(dataset, "labels", tile, folder / "labels.tif", mask)
        _write_labels(dataset, "eroded", tile, folder / "eroded.tif", mask)
    write_record(folder, tile_keys(dataset, tile), sources)


def _write_image(dataset: Dataset, path: Path, window: Window, target: Path, mask: ImageMask) -> None:
    """Write the image, and fill the mask of its invalid pixels."""
    spec, grid = dataset.spec.image, mask.grid
    with open_raster(path) as source:
        bands, dtype = MaskedBands(source, spec.bands, spec.nodata), source.dtypes[spec.bands[0] - 1]
        profile = {**PREPARED, "count": len(spec.bands), "dtype": dtype}
        with create_masked_raster(target, grid, mask.valid_blocks(), **profile) as out:
            out.descriptions = spec.band_names
            for top, rows in row_blocks(grid.height):
                part = Window(window.col_off, window.row_off + top, grid.width, rows)
                with reading(path):
                    pixels, invalid = bands.read(part)
                if invalid is not None:
                    pixels[:, invalid] = fill_value(pixels.dtype, spec.range)
                mask.add(top, invalid)
                out.write(pixels, window=Window(0, top, grid.width, rows))


def _write_height(dataset: Dataset, tile: str, target: Path, mask: ImageMask) -> None:
    spec, files, image = dataset.spec.height, dataset.files("height", tile), mask.grid
    profile = {**PREPARED, "count": 1, "dtype": "float32", "nodata": float("nan")}
    if spec is None or not files:
        _write_absent(target, image, np.float32("nan"), profile)
        return
    grid = layer_window(files[0], image)[2]
    # Two files are the surface and the ground, which have the same cells.
    rasters = [_raw_heights(spec, path, image, grid) for path in files]
    with create_raster(target, grid, **profile) as out:
        out.units = ("metre",)
        out.descriptions = ("height above ground",)
        for (top, rows), *raws in zip(row_blocks(grid.height), *rasters, strict=True):
            height = decode_height(spec, *raws)
            height[mask.cells(grid.window(top, 0, rows, grid.width))] = np.nan
            out.write(height, 1, window=Window(0, top, grid.width, rows))


def _raw_heights(spec: HeightSpec, path: Path, image: Grid, grid: Grid) -> Iterator[RawHeights]:
    """Yield the blocks of a height file over a tile."""
    with open_raster(path) as source:
        scaling = height_scaling(source, spec)
    row, column, _ = layer_window(path, image)
    for block in padded_blocks(path, [1], row, column, grid):
        yield RawHeights(block.raw[0], block.invalid, scaling)


def _write_labels(dataset: Dataset, layer: Layer, tile: str, target: Path, mask: ImageMask) -> None:
    files, image = dataset.files(layer, tile), mask.grid
    profile = {**PREPARED, "count": 1, "dtype": "uint8", "nodata": IGNORED}
    if dataset.spec.labels is None or not files:
        _write_absent(target, image, np.uint8(IGNORED), profile)
        return
    spec = dataset.spec.labels.of(layer)
    row, column, grid = layer_window(files[0], image)
    with create_raster(target, grid, **profile) as out:
        out.write_colormap(1, colour_table(spec))
        out.descriptions = ("class",)
        for block in padded_blocks(files[0], spec.bands, row, column, grid):
            labels = decode_labels(spec, block.raw if len(spec.bands) > 1 else block.raw[0], block.invalid)
            labels[mask.cells(grid.window(block.top, 0, len(labels), grid.width))] = IGNORED
            out.write(labels, 1, window=Window(0, block.top, grid.width, len(labels)))


def colour_table(spec: LabelsSpec) -> dict[int, tuple[int, int, int]]:
    """Return the colour of each class index, for the palette of a GeoTIFF."""
    return {code: entry.colour for code, entry in enumerate(spec.classes)}


def _write_absent(target: Path, image: Grid, value: np.generic, profile: dict[str, object]) -> None:
    """Write an absent layer: one cell without data over the whole image."""
    transform = image.transform @ image.transform.scale(image.width, image.height)
    with create_raster(target, Grid(image.crs, transform, 1, 1), **profile) as out:
        out.write(np.full((1, 1, 1), value))
        out.update_tags(**ABSENT)
