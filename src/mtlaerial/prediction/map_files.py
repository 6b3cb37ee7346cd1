"""Maps as georeferenced files, written atomically: classes with their colours, heights in metres."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import rasterio
import torch
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from torch import Tensor

from mtlaerial.config import IGNORED, Task, task_entry
from mtlaerial.config.task_entry import MapLayer, Shows
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.map_network import MAKERS, StackedOutputs
from mtlaerial.rasters.geotiff import create_raster, writing_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.files import discard, partial_path

TILED = {"count": 1, "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "zstd_level": 1}
"""Zstandard compresses heights to the size of deflate, in half the time."""
CODES: dict[str, Any] = {"dtype": "uint8", "nodata": IGNORED, "predictor": 1}
VALUES: dict[str, Any] = {"dtype": "float32", "nodata": float("nan"), "predictor": 3}
PROFILES: dict[Shows, dict[str, Any]] = {"classes": CODES, "mean": VALUES, "deviation": VALUES}
CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""GDAL's block cache in bytes (rasterio takes no other unit); GDAL's default grows with the machine's memory."""


class Content(NamedTuple):
    """Content of a map: a task, and one of the maps of its entry."""

    task: Task
    layer: MapLayer


def contents_of(network: StackedOutputs) -> list[Content]:
    """Return the maps of a network: those of its tasks, of deviations only with several passes."""
    several = network.passes > 1
    return [
        Content(task, layer)
        for task in network.outputs
        for layer in task_entry(task).maps
        if several or layer.shows != "deviation"
    ]


def scored_channels(network: StackedOutputs) -> dict[Task, slice]:
    """Return the channels that each task's map for the scores is made of."""
    return {task: network.slice_shown(task, task_entry(task).maps[0].shows) for task in network.outputs}


class Map(NamedTuple):
    """A map to be written: the name of its file without suffix, its content, and its grid."""

    name: str
    content: Content
    grid: Grid


@contextmanager
def open_maps(
    folder: Path,
    description: RunDescription,
    origin: Mapping[str, str],
    network: StackedOutputs,
    image: Grid,
    maps: Sequence[Map],
    cog: bool,
) -> Iterator[list[Target]]:
    """Yield targets that write maps in a folder; the files appear when the block ends without an error.

    Parameters
    ----------
    folder : Path
    description : RunDescription
        Source of class names, colours and provenance for the files' tags.
    origin : mapping
        Tags of the image and the run; see :func:`mtlaerial.prediction.map_origin.origin_tags`.
    network : MapNetwork
        Source of the tasks' channels.
    image : Grid
        The image's grid.
    maps : sequence of Map
    cog : bool
        Write cloud-optimised GeoTIFFs, with overviews.
    """
    with rasterio.Env(**CACHE, GDAL_NUM_THREADS=torch.get_num_threads()), ExitStack() as stack:
        targets = []
        for name, content, grid in maps:
            create, profile = _create_cog if cog else create_raster, PROFILES[content.layer.shows]
            out = stack.enter_context(create(folder / f"{name}.tif", grid, **TILED, **profile))
            _annotate(out, content, description, origin)
            channels = network.slice_shown(content.task, content.layer.shows)
            targets.append(Target(channels, *axes(image, grid), _writer(content, out)))
        yield targets


def _writer(content: Content, out: rasterio.io.DatasetWriter) -> Callable[[int, int, Tensor], None]:
    """Return the function that writes a block of a task's values at a row and column."""

    def write(row: int, column: int, values: Tensor) -> None:
        block = MAKERS[content.layer.shows](values)
        out.write(block, 1, window=Window(column, row, block.shape[1], block.shape[0]))

    return write


@contextmanager
def _create_cog(path: Path, grid: Grid, **profile: Any) -> Iterator[rasterio.io.DatasetWriter]:
    """Write a plain GeoTIFF beside, then copy it to a COG: GDAL's COG driver only copies whole rasters."""
    plain = partial_path(path).with_suffix(".plain.tif")
    try:
        with create_raster(plain, grid, **profile) as out:
            yield out
        with writing_raster(path) as partial:
            # A mean of class codes is no class: overviews of classes take the most frequent one.
            resampling = "mode" if profile["dtype"] == "uint8" else "average"
            copy_raster(plain, partial, driver="COG", compress="deflate", blocksize=512, overview_resampling=resampling)
    finally:
        discard(plain)


def _annotate(
    out: rasterio.io.DatasetWriter, content: Content, description: RunDescription, origin: Mapping[str, str]
) -> None:
    statistics = description.statistics
    tags = {
        "MTLAERIAL": description.mtlaerial,
        **origin,
        "TRAINED_ON": statistics.title + (" (generated data)" if statistics.generated else ""),
    }
    out.descriptions = (content.layer.description,)
    unit = task_entry(content.task).unit
    if unit:
        out.units = (unit.name,)
    if content.layer.shows == "classes":
        out.write_colormap(1, {code: entry.colour for code, entry in enumerate(statistics.classes)})
        tags |= {f"CLASS_{code}": entry.name for code, entry in enumerate(statistics.classes)}
    out.update_tags(**tags)
