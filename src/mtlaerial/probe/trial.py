"""Trial of settings: a few training steps on generated data, in a separate process."""

import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pydantic import NonNegativeFloat

from mtlaerial.config import Layer, Section, TrainingSpec
from mtlaerial.errors import UserError
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
STEPS = 3
"""Timed steps, after a first one that is not timed with them."""


class Settings(Section):
    """Keys of ``training`` that change the cost of a step and hardly its result."""

    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    threads: int
    channels_last: bool = True
    checkpointing: bool = False
    compile: bool = False

    def on(self, training: TrainingSpec) -> TrainingSpec:
        """Return a recipe with these settings."""
        return training.model_copy(update=self.model_dump())


class Trial(Section):
    """Time and memory of a training step under some settings.

    Attributes
    ----------
    settings : Settings
    seconds : float
        Median seconds of a step.
    first : float
        Seconds of the first step, in which a network is compiled.
    memory_mb : float
        Peak above the memory before the first step: the process's, or on a GPU torch's allocations.
    failed : str
        Reason why nothing was measured, as a clause; empty on success.
    """

    settings: Settings
    seconds: NonNegativeFloat = 0.0
    first: NonNegativeFloat = 0.0
    memory_mb: NonNegativeFloat = 0.0
    failed: str = ""

    def total(self, steps: int) -> float:
        """Return the seconds of a training of the given number of steps."""
        return float("inf") if self.failed else max(self.first - self.seconds, 0) + steps * self.seconds


def run_trial(plan: RunPlan, settings: Settings) -> Trial:
    """Measure a plan under some settings in a new process, whose peak of memory no other trial has raised."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, plan, settings).result()
        except BrokenProcessPool:
            return Trial(settings=settings, failed="its process was ended, as when memory runs out")


def measure(plan: RunPlan, settings: Settings) -> Trial:
    """Measure a plan under some settings in this process."""
    with tempfile.TemporaryDirectory() as folder:
        tile = Path(folder) / "generated"
        _write_tile(tile, 2 * plan.training.patch)
        changed = plan.model_copy(update={"training": settings.on(plan.training)})
        try:
            return _steps(changed, settings, tile)
        except (RuntimeError, UserError) as error:  # no memory on the device, no compiler, no such precision
            reason = str(error).strip() or type(error).__name__
            return Trial(settings=settings, failed=reason.splitlines()[0])


def _steps(plan: RunPlan, settings: Settings, tile: Path) -> Trial:
    from mtlaerial.training.trainer import Trainer

    trainer = Trainer(TrainingJob(plan=plan, statistics=_statistics(), training_tiles=(tile,), folder=tile))
    trainer.network.train()
    begun = perf_counter()
    trainer.update(0).losses.tolist()  # reading the losses waits for the device
    first = perf_counter() - begun
    for step in range(1, STEPS + 1):
        trainer.meter.begin()
        trainer.update(step).losses.tolist()
        trainer.meter.end(1)
    cost = trainer.meter.cost()
    return Trial(settings=settings, seconds=cost.seconds_per_step, first=first, memory_mb=max(cost.peak_memory_mb, 0))


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
