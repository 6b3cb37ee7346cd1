"""Statistics of prepared training tiles, accumulated over blocks of rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from mtlaerial.config import IGNORED, DatasetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.tiles.image_mask import invalid_pixels
from mtlaerial.tiles.record import tile_digest, verify_tiles
from mtlaerial.tiles.statistics import HeightStatistics, Statistics, TileStatistics, with_specification

_BIN = 0.01
"""Width in metres of the bins of the histogram for the median height."""


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
    counts = _count_class_pixels(folders)
    classes = len(spec.labels.classes) if spec.labels and counts.any() else 0
    bands, without_image = _measure_bands(folders, len(spec.image.band_names))
    return TileStatistics(
        gsd=spec.gsd or gsd,
        dtype=dtype,
        pixels=tuple(counts[:classes].tolist()),
        bands=bands,
        without_image=without_image,
        height=_measure_heights(folders),
        tiles={folder.name: tile_digest(folder) for folder in folders},
    )


def summarise(dataset: Dataset, folders: Sequence[Path]) -> Statistics:
    """Return the summary of a data set's prepared training tiles, each in a folder named after the tile."""
    return with_specification(dataset.name, dataset.spec, measure_tiles(dataset.spec, folders))


def _count_class_pixels(folders: Sequence[Path]) -> np.ndarray:
    """Return the number of pixels of each class index, shape (IGNORED,)."""
    counts = np.zeros(IGNORED + 1, dtype=np.int64)
    for folder in folders:
        labels = map_raster(folder / "labels.tif")
        for top, rows in row_blocks(labels.shape[0]):
            counts += np.bincount(labels[top : top + rows].ravel(), minlength=IGNORED + 1)
    return counts[:IGNORED]


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


def _measure_heights(folders: Sequence[Path]) -> HeightStatistics | None:
    """Return statistics of the valid heights, None without any; the median is exact to a centimetre."""
    cells, total, squares = 0, 0.0, 0.0
    lowest, highest = np.inf, -np.inf
    histogram: dict[int, int] = {}
    for folder in folders:
        height = map_raster(folder / "height.tif")
        for top, rows in row_blocks(height.shape[0]):
            block = height[top : top + rows]
            valid = block[np.isfinite(block)].astype(np.float64)
            if valid.size == 0:
                continue
            cells, total, squares = cells + valid.size, total + valid.sum(), squares + (valid**2).sum()
            lowest, highest = min(lowest, valid.min()), max(highest, valid.max())
            bins, counts = np.unique(np.round(valid / _BIN).astype(np.int64), return_counts=True)
            for key, count in zip(bins.tolist(), counts.tolist(), strict=True):
                histogram[key] = histogram.get(key, 0) + count
    if cells == 0:
        return None
    bins = np.array(sorted(histogram))
    cumulated = np.cumsum([histogram[key] for key in bins.tolist()])
    median = float(bins[np.searchsorted(cumulated, cells / 2)] * _BIN)
    mean = total / cells
    std = float(np.sqrt(max(squares / cells - mean**2, 0)))
    return HeightStatistics(cells=cells, mean=mean, std=std, median=median, minimum=lowest, maximum=highest)
