"""Maps of a run that are written by hand, to be scored."""

from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.config import ScoringSpec
from mtlaerial.rasters.geotiff import PREPARED, create_raster, map_raster, open_raster
from mtlaerial.rasters.grid import Grid

SCORING = ScoringSpec(height_bins=(2.0, 5.0), error_unit=25.5)


class Run:
    """A run's folder with a description and maps written by hand."""

    def __init__(self, folder: Path, trained: Path) -> None:
        self.folder = folder
        for name in ("run.yaml", "model.safetensors"):
            (folder / name).write_bytes((trained / name).read_bytes())

    def write(self, tile: Path, task: str, array: np.ndarray, shift: float = 0.0, crs: str = "") -> None:
        layer = {"semantics": "labels"}.get(task, task)
        with open_raster(tile / f"{layer}.tif") as source:
            grid = Grid.of(source)
        grid = Grid(
            CRS.from_string(crs) if crs else grid.crs, grid.transform @ Affine.translation(shift, 0), *array.shape
        )
        path = self.folder / "maps" / tile.name / f"{task}.tif"
        with create_raster(path, grid, count=1, dtype=array.dtype.name, **PREPARED) as out:
            out.write(array, 1)


def truth(tile: Path, layer: str) -> np.ndarray:
    return np.array(map_raster(tile / f"{layer}.tif"))
