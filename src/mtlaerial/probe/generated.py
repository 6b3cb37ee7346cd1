"""Training on a tile of noise, which costs what one on real tiles does."""

from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from mtlaerial.config import Layer
from mtlaerial.rasters.geotiff import PREPARED, create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.plan import RunPlan
from mtlaerial.tiles.statistics import BandStatistics, ClassStatistics, HeightStatistics, Statistics
from mtlaerial.training.job import TrainingJob

BANDS, CLASSES = 3, 6
HEIGHTS = HeightStatistics(
    cells=1, mean=10, std=6, median=10, minimum=0, maximum=20,
    histogram=(0, 0.05, 0.05, 0.1, 0.2, 0.4, 0.2, 0, 0),
)  # fmt: skip
"""Statistics of the generated heights, which are uniform from 0 to 20 m."""


def generated_job(plan: RunPlan, folder: Path) -> TrainingJob:
    """Return the training of a plan on a tile of noise, which is written into a folder."""
    tile = folder / "generated"
    _write_tile(tile, 2 * plan.training.patch)
    return TrainingJob(plan=plan, statistics=_statistics(), training_tiles=(tile,), folder=tile)


def _write_tile(folder: Path, side: int) -> None:
    """Write a prepared tile of noise."""
    draw = np.random.default_rng(0)
    layers: dict[Layer, NDArray[Any]] = {
        "image": draw.integers(0, 256, (BANDS, side, side), dtype=np.uint8),
        "height": draw.random((1, side, side), dtype=np.float32) * 20,
        "labels": draw.integers(0, CLASSES, (1, side, side), dtype=np.uint8),
    }
    grid = Grid(None, Affine.identity(), side, side)
    for layer, values in layers.items():
        with create_raster(
            folder / f"{layer}.tif", grid, **PREPARED, count=len(values), dtype=values.dtype.name
        ) as target:
            target.write(values)


def _statistics() -> Statistics:
    bands = tuple(BandStatistics(name=f"band {i}", index=i + 1, mean=127, std=74) for i in range(BANDS))
    classes = tuple(ClassStatistics(name=f"class {i}", colour=(0, 0, 0), pixels=1) for i in range(CLASSES))
    return Statistics(
        dataset="generated",
        title="Generated noise",
        generated=True,
        licence="",
        citation="",
        gsd=1.0,
        dtype="uint8",
        range=(0, 255),
        bands=bands,
        classes=classes,
        height=HEIGHTS,
        zero_height=True,
        tiles={},
    )
