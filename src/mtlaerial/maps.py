"""Maps as files: classes with their colours, heights in metres, in the right place, whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

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


class Map(NamedTuple):
    """A map to be written: the name of its file without suffix, whose it is, and where its cells lie."""

    name: str
    task: Task
    grid: Grid


@contextmanager
def open_maps(
    folder: Path, description: RunDescription, network: MapNetwork, image: Grid, maps: Sequence[Map], cog: bool
) -> Iterator[list[Target]]:
    """Give targets that write maps in a folder; the files appear when the block ends well.

    Parameters
    ----------
    folder : Path
    description : RunDescription
        Names, colours and what made them, for the files' tags.
    network : MapNetwork
        Says which channels are whose.
    image : Grid
        The image's.
    maps : sequence of Map
    cog : bool
        Write cloud-optimised GeoTIFFs, with overviews.
    """
    with rasterio.Env(**CACHE), ExitStack() as stack:
        targets = []
        for name, task, grid in maps:
            create = _create_cog if cog else create_raster
            out = stack.enter_context(create(folder / f"{name}.tif", grid, **TILED, **PROFILES[task]))
            _annotate(out, task, description)
            targets.append(Target(network.slice_of(task), *axes(image, grid), _writer(task, out)))
        yield targets


def _writer(task: Task, out: rasterio.io.DatasetWriter) -> Callable[[int, int, Tensor], None]:
    """Return what writes a block of a task's values at a row and column."""

    def write(row: int, column: int, values: Tensor) -> None:
        block = class_codes(values) if task == "semantics" else values[0].cpu().numpy().astype(np.float32)
        out.write(block, 1, window=Window(column, row, block.shape[1], block.shape[0]))

    return write


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
