"""Grids of a prepared tile."""

from pathlib import Path

from mtlaerial.config import LAYERS, Layer
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.tiles.prepare import ABSENT


def tile_grids(folder: Path) -> dict[Layer, Grid]:
    """Return the grids of a prepared tile by layer: its image's, and those of the ground truth that is present."""
    grids: dict[Layer, Grid] = {}
    for layer in LAYERS:
        with open_raster(folder / f"{layer}.tif") as source:
            if source.tags().get("MTLAERIAL") != ABSENT["MTLAERIAL"]:
                grids[layer] = Grid.of(source)
    return grids
