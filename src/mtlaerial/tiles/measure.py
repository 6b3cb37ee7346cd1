"""Statistics of prepared training tiles, accumulated over blocks of rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.tiles.image_mask import invalid_pixels
from mtlaerial.tiles.measure_truth import class_areas, measure_heights
from mtlaerial.tiles.record import image_hash, tile_digest, verify_tiles
from mtlaerial.tiles.statistics import Statistics, TileStatistics, with_specification


def measure_tiles(spec: DatasetSpec, folders: Sequence[Path]) -> TileStatistics:
    """Compute statistics of prepared training tiles in one pass over their pixels.

    Parameters
    ----------
    spec : DatasetSpec
        Specification of the data set.
    folders : sequence of Path
        A folder of prepared layers per tile, named after the tile.

    Raises
    ------
    DataError
        When a layer is other than when it was prepared.
    """
    verify_tiles(folders)
    with open_raster(folders[0] / "image.tif") as source:
        gsd, dtype = ground_pixel_size(Grid.of(source))[1], source.dtypes[0]
    areas = class_areas(folders)
    classes = len(spec.labels.classes) if spec.labels and areas.any() else 0
    bands, without_image = _measure_bands(folders, len(spec.image.band_names))
    return TileStatistics(
        gsd=spec.gsd or gsd,
        dtype=dtype,
        pixels=tuple(np.round(areas[:classes]).astype(np.int64).tolist()),
        bands=bands,
        without_image=without_image,
        height=measure_heights(folders),
        tiles={folder.name: tile_digest(folder) for folder in folders},
        images={folder.name: image_hash(folder) for folder in folders},
    )


def summarise(dataset: Dataset, folders: Sequence[Path]) -> Statistics:
    """Return the summary of a data set's prepared training tiles, each in a folder named after the tile."""
    return with_specification(dataset.name, dataset.spec, measure_tiles(dataset.spec, folders))


def _measure_bands(folders: Sequence[Path], number: int) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return mean and standard deviation of each band over the valid pixels, and the share of the other pixels."""
    total, squares, valid, pixels = np.zeros(number), np.zeros(number), 0, 0
    for folder in folders:
        for every, invalid in _image_blocks(folder / "image.tif", number):
            pixels += len(every)
            block = (every if invalid is None else every[~invalid]).astype(np.float64)
            total, squares, valid = total + block.sum(0), squares + (block**2).sum(0), valid + len(block)
    mean = total / valid
    # Var x = E[x²] - E[x]²; rounding may make it negative where all values are equal.
    std = np.sqrt(np.maximum(squares / valid - mean**2, 0))
    return tuple(zip(mean.tolist(), std.tolist(), strict=True)), 1 - valid / pixels


def _image_blocks(path: Path, number: int) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_] | None]]:
    """Yield blocks of a prepared image, shape (pixels, bands), and the masks of their invalid pixels, if any are."""
    image = map_raster(path)
    with open_raster(path) as source:
        for top, rows in row_blocks(image.shape[0]):
            invalid = invalid_pixels(source, Window(0, top, source.width, rows))
            yield image[top : top + rows].reshape(-1, number), None if invalid is None else invalid.ravel()
