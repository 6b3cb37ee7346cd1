"""Maps as georeferenced files, written atomically: classes with their colours, heights in metres."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window
from torch import Tensor

from mtlaerial.config import IGNORED, Task
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.map_network import MapNetwork, class_codes, mean_height
from mtlaerial.rasters.geotiff import create_raster, writing_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.files import discard, partial_path

CODES: dict[str, Any] = {"dtype": "uint8", "nodata": IGNORED, "predictor": 1}
METRES: dict[str, Any] = {"dtype": "float32", "nodata": float("nan"), "predictor": 3}
TILED = {"count": 1, "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd", "zstd_level": 1}
"""Zstandard compresses heights to the size of deflate, in half the time."""
CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""GDAL's block cache in bytes (rasterio takes no other unit); GDAL's default grows with the machine's memory."""
Shown = Literal["semantics", "height", "height_std"]


@dataclass(frozen=True)
class Content:
    """A kind of map: the task and the function that make it from blended values, and its file's metadata."""

    task: Task
    make: Callable[[Tensor], NDArray[Any]]
    """From the task's values, (channels, rows, columns), to the map's, (rows, columns)."""
    profile: dict[str, Any]
    description: str
    unit: str | None = None


def height_std(heights: Tensor) -> NDArray[np.float32]:
    """Return the standard deviation over passes in metres; divided by n, as numpy's, not by n - 1."""
    return heights.std(dim=0, correction=0).cpu().numpy()


CONTENTS: dict[Shown, Content] = {
    "semantics": Content("semantics", class_codes, CODES, "class"),
    "height": Content("height", mean_height, METRES, "height above ground", "metre"),
    "height_std": Content("height", height_std, METRES, "standard deviation of height over passes", "metre"),
}


def shown_by(network: MapNetwork) -> list[Shown]:
    """Return the kinds of maps of a network: its tasks, and with several passes the height's deviation."""
    several = network.passes > 1
    return [
        shows
        for shows, content in CONTENTS.items()
        if content.task in network.outputs and (several or shows == content.task)
    ]


class Map(NamedTuple):
    """A map to be written: the name of its file without suffix, its kind, and its grid."""

    name: str
    shows: Shown
    grid: Grid


@contextmanager
def open_maps(
    folder: Path,
    description: RunDescription,
    origin: Mapping[str, str],
    network: MapNetwork,
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
        for name, shows, grid in maps:
            content = CONTENTS[shows]
            create = _create_cog if cog else create_raster
            out = stack.enter_context(create(folder / f"{name}.tif", grid, **TILED, **content.profile))
            _annotate(out, content, description, origin)
            targets.append(Target(network.slice_of(content.task), *axes(image, grid), _writer(content, out)))
        yield targets


def _writer(content: Content, out: rasterio.io.DatasetWriter) -> Callable[[int, int, Tensor], None]:
    """Return the function that writes a block of a task's values at a row and column."""

    def write(row: int, column: int, values: Tensor) -> None:
        block = content.make(values)
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
    out.descriptions = (content.description,)
    if content.unit:
        out.units = (content.unit,)
    if content.task == "semantics":
        out.write_colormap(1, {code: entry.colour for code, entry in enumerate(statistics.classes)})
        tags |= {f"CLASS_{code}": entry.name for code, entry in enumerate(statistics.classes)}
    out.update_tags(**tags)
