"""Preparing a tile: image, height, labels and eroded labels as files that can be mapped, each on its own grid.

Streams row blocks from the raw files, so that memory follows the block and not the raster.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import IGNORED, LabelsSpec, Layer
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.decode import decode_height, decode_labels
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

ABSENT = {"MTLAERIAL": "absent"}
"""Tag of a layer that a tile does not have: a single no-data cell, so that nothing downstream needs a special case."""


def prepare_tile(dataset: Dataset, tile: str, folder: Path) -> None:
    """Write ``image.tif``, ``height.tif``, ``labels.tif`` and ``eroded.tif`` of a tile.

    Parameters
    ----------
    dataset : Dataset
        Where the raw files are and what they hold.
    tile : str
        The tile's name.
    folder : Path
        Where to write. The image keeps its dtype and the bands of the specification; height is float32 metres with
        NaN for no-data; labels, also without the borders of objects, are uint8 class indices in the order of the
        specification, ``IGNORED`` for none.

    Raises
    ------
    DataError
        When a file is missing or damaged.
    """
    path, row, column, grid = image_window(dataset, tile)
    _write_image(dataset, path, Window(column, row, grid.width, grid.height), grid, folder / "image.tif")
    outside = _Outside(folder / "image.tif")
    _write_height(dataset, tile, grid, folder / "height.tif", outside)
    _write_labels(dataset, "labels", tile, grid, folder / "labels.tif", outside)
    _write_labels(dataset, "eroded", tile, grid, folder / "eroded.tif", outside)


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


class _Outside:
    """Tells which cells of a layer have their centre outside a tile's image, or where it has no data."""

    def __init__(self, path: Path) -> None:
        with open_raster(path) as source:
            self.grid, self.nodata = Grid.of(source), source.nodata
        image = map_raster(path)
        self.image = image if image.ndim == 3 else image[..., None]

    def __call__(self, layer: Grid) -> NDArray[np.bool_]:
        """Return a mask of shape (rows, columns) for the given (part of a) layer."""
        mapping = layer.to(self.grid)
        rows = np.floor((np.arange(layer.height) + 0.5) * mapping.e + mapping.f - 1e-6).astype(int)
        columns = np.floor((np.arange(layer.width) + 0.5) * mapping.a + mapping.c - 1e-6).astype(int)
        y, x = rows.clip(0, self.grid.height - 1)[:, None], columns.clip(0, self.grid.width - 1)
        beyond: NDArray[np.bool_] = (y != rows[:, None]) | (x != columns)
        return beyond if self.nodata is None else beyond | without_data(self.image[y, x], self.nodata)


def _write_height(dataset: Dataset, tile: str, image: Grid, target: Path, outside: _Outside) -> None:
    spec, files = dataset.spec.height, dataset.files("height", tile)
    profile = {**PREPARED, "count": 1, "dtype": "float32", "nodata": float("nan")}
    if spec is None or not files:
        _write_absent(target, image, np.float32("nan"), profile)
        return
    row, column, grid = layer_window(files[0], image)
    ground = _blocks(files[1], *layer_window(files[1], image)[:2], grid) if len(files) == 2 else None
    with create_raster(target, grid, **profile) as out:
        out.units = ("metre",)
        out.descriptions = ("height above ground",)
        for block in _blocks(files[0], row, column, grid):
            below = next(ground) if ground else None
            pair = (below.raw[0], block.nodata, below.nodata) if below else (None, block.nodata, None)
            height = decode_height(spec, block.raw[0], *pair)
            for unknown in _unknown(block, below, outside, grid):
                height[unknown] = np.nan
            out.write(height, 1, window=Window(0, block.top, grid.width, height.shape[0]))


def _write_labels(dataset: Dataset, layer: Layer, tile: str, image: Grid, target: Path, outside: _Outside) -> None:
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
        for block in _blocks(files[0], row, column, grid):
            raw = block.raw[:3] if spec.encoding == "rgb" else block.raw[0]
            labels = decode_labels(spec, raw, block.nodata)
            for unknown in _unknown(block, None, outside, grid):
                labels[unknown] = IGNORED
            out.write(labels, 1, window=Window(0, block.top, grid.width, labels.shape[0]))


def _unknown(block: "_Block", other: "_Block | None", outside: _Outside, grid: Grid) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of cells that cannot be known: outside the files or the image, or where it has no data."""
    yield from (b.beyond for b in (block, other) if b is not None and b.beyond is not None)
    yield outside(grid.window(block.top, 0, block.raw.shape[1], grid.width))


def colour_table(spec: LabelsSpec) -> dict[int, tuple[int, int, int]]:
    """Return the colour of each prepared code, for a GeoTIFF's palette."""
    return {code: entry.colour for code, entry in enumerate(spec.classes)}


@dataclass(frozen=True)
class _Block:
    """Some rows of a layer's window.

    Attributes
    ----------
    top : int
        First row, counted in the window.
    raw : array, shape (bands, rows, columns)
    beyond : array of bool, shape (rows, columns), or None
        Cells outside the file; None where there are none.
    nodata : float or None
        The file's tag.
    """

    top: int
    raw: NDArray[Any]
    beyond: NDArray[np.bool_] | None
    nodata: float | None


def _blocks(path: Path, row: int, column: int, grid: Grid) -> Iterator[_Block]:
    """Yield a window of a file block by block; it may reach outside the file."""
    with open_raster(path) as source:
        for top, rows in row_blocks(grid.height):
            yield _Block(top, *_read(source, row + top, column, rows, grid.width), source.nodata)


def _read(
    source: rasterio.DatasetReader, row: int, column: int, rows: int, columns: int
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    first, last = max(row, 0), min(row + rows, source.height)
    left, right = max(column, 0), min(column + columns, source.width)
    if last <= first or right <= left:
        return np.zeros((source.count, rows, columns), source.dtypes[0]), np.ones((rows, columns), np.bool_)
    raw = source.read(window=((first, last), (left, right)))
    margins = ((first - row, row + rows - last), (left - column, column + columns - right))
    if not any(map(any, margins)):
        return raw, None
    beyond = np.pad(np.zeros(raw.shape[1:], np.bool_), margins, constant_values=True)
    return np.pad(raw, ((0, 0), *margins)), beyond


def _write_absent(target: Path, image: Grid, value: np.generic, profile: dict[str, object]) -> None:
    transform = image.transform @ image.transform.scale(image.width, image.height)
    with create_raster(target, Grid(image.crs, transform, 1, 1), **profile) as out:
        out.write(np.full((1, 1, 1), value))
        out.update_tags(**ABSENT)
