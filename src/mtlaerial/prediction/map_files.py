"""Maps as files, written while the network runs: exact ones to be scored, and cloud-optimised ones for people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import rasterio
import torch
from numpy.typing import NDArray
from rasterio.windows import Window
from torch import Tensor

from mtlaerial.config import PredictionSpec, Task, task_entry
from mtlaerial.config.task_entry import Shows
from mtlaerial.maps.annotation import annotate
from mtlaerial.maps.cog_writer import CogWriter, open_cog
from mtlaerial.maps.layer import RasterLayer
from mtlaerial.maps.qgis_style import write_style
from mtlaerial.maps.stac_item import write_item
from mtlaerial.prediction.applied_calibration import AppliedCalibration, Make
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.map_layers import Content, exact_layer, shown_layer
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.prediction.stacked_outputs import StackedOutputs
from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription

CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""GDAL's block cache in bytes (rasterio takes no other unit); GDAL's default grows with the machine's memory."""
Write = Callable[[int, int, NDArray[Any]], None]
"""Takes the first row and column of a block, and its values, shape (rows, columns) or (bands, rows, columns)."""


def contents_of(network: StackedOutputs, calibration: AppliedCalibration | None = None) -> list[Content]:
    """Return the maps of a network: those of its tasks, with the spread and the layers that its prediction asks for.

    With a calibration, the bounds that it gives too.
    """
    prediction = network.prediction
    shown: set[Shows] = {"classes", "mean", *prediction.layers}
    if prediction.spread_sources:
        shown.add("deviation")
    contents = []
    for task in network.outputs:
        bounds: set[Shows] = {"lower", "upper"} if calibration and calibration.bounds(task) else set()
        layers = [layer for layer in task_entry(task).possible_maps if layer.shows in shown | bounds]
        described = [calibration.layer(layer) for layer in layers] if calibration else layers
        contents += [Content(task, layer).of_sources(prediction.spread_sources) for layer in described]
    return contents


def missing_notes(network: StackedOutputs) -> list[str]:
    """Return a sentence on each kind of map that a prediction asks for and that no task of the network has."""
    prediction, entries = network.prediction, [task_entry(task) for task in network.outputs]
    notes = []
    if prediction.layers and all(entry.output != "classes" for entry in entries):
        notes.append(f"no map of {', '.join(prediction.layers)}, as no classes are learned")
    if prediction.spread and all(entry.deviation is None for entry in entries):
        notes.append(f"no map of the spread by {', '.join(prediction.spread)}, as no heights are learned")
    return notes


def scored_channels(network: StackedOutputs) -> dict[Task, slice]:
    """Return the channels that the map of each task for the scores is made of."""
    return {task: network.slice_of(task) for task in network.outputs}


class Map(NamedTuple):
    """A map to be written: the name of its file without suffix, its content, and its grid."""

    name: str
    content: Content
    grid: Grid


class Storage(NamedTuple):
    """How maps for people are stored: by a configuration, and whether styles beside earlier maps are replaced.

    The calibration, if there is one, changes probabilities and gives bounds of heights.
    """

    prediction: PredictionSpec
    replace: bool = False
    calibration: AppliedCalibration | None = None


@contextmanager
def open_maps(
    folder: Path,
    description: RunDescription,
    origin: Mapping[str, str],
    network: StackedOutputs,
    image: Grid,
    maps: Sequence[Map],
    storage: Storage | None = None,
) -> Iterator[list[Target]]:
    """Yield targets that write maps in a folder; the files appear when the block ends without an error.

    Parameters
    ----------
    folder : Path
    description : RunDescription
        Source of class names, colours and provenance for the files' tags.
    origin : mapping
        Tags of the image and the run; see :func:`mtlaerial.prediction.map_origin.origin_tags`.
    network : StackedOutputs
        Source of the tasks' channels.
    image : Grid
        The image's grid.
    maps : sequence of Map
    storage : Storage, optional
        Write cloud-optimised GeoTIFFs on the image's grid, with overviews, styles for QGIS and a STAC Item; else plain
        GeoTIFFs of exact values.
    """
    tags = _tags(description, origin)
    cogs: list[CogWriter] = []
    earlier = {name for name, _, _ in maps if (folder / f"{name}.tif").exists()}
    with rasterio.Env(**CACHE, GDAL_NUM_THREADS=torch.get_num_threads()), ExitStack() as stack:
        targets = []
        for name, content, grid in maps:
            path = folder / f"{name}.tif"
            if storage is None:
                layer = exact_layer(content, name, description)
                write = stack.enter_context(_open_exact(path, grid, layer, tags))
            else:
                layer = shown_layer(content, name, description, storage.prediction)
                calibrated = storage.calibration.tags(*content.key) if storage.calibration else {}
                cogs.append(stack.enter_context(open_cog(path, grid, layer, {**tags, **calibrated})))
                write = cogs[-1].write
            maker = _maker(content, storage)
            channels = network.channels_shown(*content.key)
            targets.append(Target(channels, *axes(image, grid), _block_writer(maker, write)))
        yield targets
    if storage is not None:
        for cog in cogs:
            # Without an earlier map a style in the folder is that of a map that has been removed.
            write_style(cog.path, cog.layer, storage.replace or cog.layer.name not in earlier)
        name = f"{description.name} {origin.get('IMAGE', '')}"
        write_item(folder, name, image, cogs, _properties(description, origin))


def _maker(content: Content, storage: Storage | None) -> Make:
    """Return the function that makes a map of blended values."""
    if storage is None or storage.calibration is None:
        return MAKERS[content.layer.shows]
    return storage.calibration.maker(*content.key)


def _block_writer(maker: Make, write: Write) -> Callable[[int, int, Tensor], None]:
    """Return the function that writes a block of a task's blended values at a row and column."""

    def write_block(row: int, column: int, values: Tensor) -> None:
        write(row, column, maker(values))

    return write_block


@contextmanager
def _open_exact(path: Path, grid: Grid, layer: RasterLayer, tags: Mapping[str, str]) -> Iterator[Write]:
    """Open a plain tiled GeoTIFF, and yield the function that writes blocks of it."""
    with create_raster(path, grid, **layer.profile) as out:
        annotate(out, layer, tags)

        def write(row: int, column: int, block: NDArray[Any]) -> None:
            rows, columns = block.shape[-2:]
            out.write(block.reshape(out.count, rows, columns), window=Window(column, row, columns, rows))

        yield write


def _tags(description: RunDescription, origin: Mapping[str, str]) -> dict[str, str]:
    return {"MTLAERIAL": description.mtlaerial, **origin, "TRAINED_ON": _data(description)}


def _data(description: RunDescription) -> str:
    statistics = description.statistics
    return statistics.title + (" (generated data)" if statistics.generated else "")


def _properties(description: RunDescription, origin: Mapping[str, str]) -> dict[str, Any]:
    """Return the properties of the STAC Item that say which run mapped which image."""
    title = f"{origin.get('IMAGE', 'an image')} mapped by {description.name}"
    return {
        "title": title,
        "description": f"Predicted by a network that was trained on {_data(description)}.",
        "processing:software": {"mtlaerial": description.mtlaerial},
        **{f"mtlaerial:{key.lower()}": value for key, value in origin.items()},
    }
