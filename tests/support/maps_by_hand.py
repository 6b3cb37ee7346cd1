"""Maps that tests make of arrays."""

from pathlib import Path

import numpy as np

from mtlaerial.rasters.geotiff import PREPARED, create_raster, open_raster
from mtlaerial.rasters.grid import Grid


def write_map(path: Path, values: np.ndarray, truth: Path) -> Path:
    """Write (rows, columns) or (bands, rows, columns) on the grid of a layer of ground truth."""
    with open_raster(truth) as source:
        grid = Grid.of(source)
    bands = values[None] if values.ndim == 2 else values
    with create_raster(path, grid, count=len(bands), dtype=bands.dtype.name, **PREPARED) as out:
        out.write(bands)
    return path
