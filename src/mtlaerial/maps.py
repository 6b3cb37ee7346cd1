"""Maps as files: classes with their colours, heights in metres, in the right place, whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from torch import Tensor

from mtlaerial.blending import Target
from mtlaerial.cells import axes
from mtlaerial.config import IGNORED, Task
from mtlaerial.inference import MapNetwork, class_codes
from mtlaerial.raster import Grid, create_raster, discard, partial_path, writing
from mtlaerial.runs import RunDescription

PROFILES: dict[Task, dict[str, Any]] = {
    "semantics": {"dtype": "uint8", "nodata": IGNORED, "predictor": 1},
    "height": {"dtype": "float32", "nodata": float("nan"), "predictor": 3},
}
TILED = {"count": 1, "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "zlevel": 1}
CACHE = {"GDAL_CACHEMAX": 128}
"""Megabytes of blocks that GDAL may hold; its own default grows with the machine."""


class MapWriter:
    """The open maps of one raster, and the targets that fill them.

    Parameters
    ----------
    targets : dict of task to Target
    """

    def __init__(self) -> None:
        self.targets: list[Target] = []

    def add(self, task: Task, out: rasterio.io.DatasetWriter, image: Grid, grid: Grid, channels: slice) -> None:
        """Add the map of a task."""

        def write(row: int, column: int, values: Tensor) -> None:
            block = class_codes(values) if task == "semantics" else values[0].cpu().numpy().astype(np.float32)
            out.write(block, 1, window=Window(column, row, block.shape[1], block.shape[0]))

        self.targets.append(Target(channels, *axes(image, grid), write))


@contextmanager
def open_maps(
    folder: Path, description: RunDescription, network: MapNetwork, image: Grid, grids: dict[Task, Grid], cog: bool
) -> Iterator[list[Target]]:
    """Give targets that write ``{task}.tif`` in a folder; the files appear when the block ends well.

    Parameters
    ----------
    folder : Path
    description : RunDescription
        Names, colours and what made them, for the files' tags.
    network : MapNetwork
        Says which channels are whose.
    image : Grid
        The image's.
    grids : dict of task to Grid
        The maps' grids.
    cog : bool
        Write cloud-optimised GeoTIFFs, with overviews.
    """
    with rasterio.Env(**CACHE), ExitStack() as stack:
        writer = MapWriter()
        for task, grid in grids.items():
            create = _create_cog if cog else create_raster
            out = stack.enter_context(create(folder / f"{task}.tif", grid, **TILED, **PROFILES[task]))
            _annotate(out, task, description)
            writer.add(task, out, image, grid, network.slice_of(task))
        yield writer.targets


@contextmanager
def _create_cog(path: Path, grid: Grid, **profile: Any) -> Iterator[rasterio.io.DatasetWriter]:
    """Write a plain GeoTIFF beside, then copy it to a COG: that layout cannot be written in pieces."""
    plain = partial_path(path).with_suffix(".plain.tif")
    try:
        with create_raster(plain, grid, **profile) as out:
            yield out
        with writing(path) as partial:
            resampling = "mode" if profile["dtype"] == "uint8" else "average"
            copy_raster(plain, partial, driver="COG", compress="deflate", blocksize=512, overview_resampling=resampling)
    finally:
        discard(plain)


def _annotate(out: rasterio.io.DatasetWriter, task: Task, description: RunDescription) -> None:
    plan, statistics = description.plan, description.statistics
    tags = {
        "MTLAERIAL": description.mtlaerial,
        "RUN": f"{plan.dataset}/{plan.method}/seed{plan.seed}",
        "TRAINED_ON": statistics.title + (" (generated data)" if statistics.generated else ""),
    }
    if task == "semantics":
        out.write_colormap(1, {code: entry.colour for code, entry in enumerate(statistics.classes)})
        out.descriptions = ("class",)
        tags |= {f"CLASS_{code}": entry.name for code, entry in enumerate(statistics.classes)}
    else:
        out.units = ("metre",)
        out.descriptions = ("height above ground",)
    out.update_tags(**tags)
