"""Statistics of prepared training tiles, accumulated over blocks of rows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtlaerial.config import DatasetSpec
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks, without_data
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.measure_truth import class_areas, measure_heights
from mtlaerial.tiles.record import tile_digest, verify_tiles
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
        gsd, dtype = Grid.of(source).pixel_size[1], source.dtypes[0]
    areas = class_areas(folders)
    classes = len(spec.labels.classes) if spec.labels and areas.any() else 0
    return TileStatistics(
        gsd=spec.gsd or gsd,
        dtype=dtype,
        pixels=tuple(np.round(areas[:classes]).astype(np.int64).tolist()),
        bands=_measure_bands(folders, len(spec.image.band_names)),
        height=measure_heights(folders),
        tiles={folder.name: tile_digest(folder) for folder in folders},
    )


def summarise(dataset: Dataset, folders: Sequence[Path]) -> Statistics:
    """Return the summary of a data set's prepared training tiles, each in a folder named after the tile."""
    return with_specification(dataset.name, dataset.spec, measure_tiles(dataset.spec, folders))


def _measure_bands(folders: Sequence[Path], number: int) -> tuple[tuple[float, float], ...]:
    """Return mean and standard deviation of each band over the pixels with data."""
    total, squares, pixels = np.zeros(number), np.zeros(number), 0
    for folder in folders:
        image = map_raster(folder / "image.tif")
        with open_raster(folder / "image.tif") as source:
            nodata = source.nodata
        for top, rows in row_blocks(image.shape[0]):
            block = image[top : top + rows].reshape(-1, number)
            block = block[~without_data(block, nodata)].astype(np.float64)
            total, squares, pixels = total + block.sum(0), squares + (block**2).sum(0), pixels + len(block)
    mean = total / pixels
    # Var x = E[x²] - E[x]²; rounding may make it negative where all values are equal.
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
    return tuple(zip(mean.tolist(), std.tolist(), strict=True))
