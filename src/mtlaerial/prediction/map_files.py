"""Maps as files, written while the network runs: exact ones to be scored, and cloud-optimised ones for people."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import rasterio
import torch
from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.config.task_entry import Shows
from mtlaerial.prediction.applied_calibration import AppliedCalibration, Make
from mtlaerial.prediction.blending.regrid import axes
from mtlaerial.prediction.blending.targets import Target
from mtlaerial.prediction.exact_map import Write, open_exact
from mtlaerial.prediction.map_layers import Content, exact_layer
from mtlaerial.prediction.map_provenance import map_tags
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.prediction.shown_maps import Map, ShownMaps, Storage
from mtlaerial.prediction.stacked_outputs import StackedOutputs
from mtlaerial.rasters.grid import Grid
from mtlaerial.runs.run import RunDescription

CACHE = {"GDAL_CACHEMAX": 64 * 2**20}
"""GDAL's block cache in bytes (rasterio takes no other unit); GDAL's default grows with the machine's memory."""


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
        The grid of the image that the network runs on.
    maps : sequence of Map
    storage : Storage, optional
        Write cloud-optimised GeoTIFFs on the image's grid, with overviews, styles for QGIS and a STAC Item; else plain
        GeoTIFFs of exact values.
    """
    tags = map_tags(description, origin)
    with rasterio.Env(**CACHE, GDAL_NUM_THREADS=torch.get_num_threads()), ExitStack() as stack:
        shown = ShownMaps(folder, description, image, tags, storage, stack) if storage else None
        targets = []
        for each in maps:
            maker, channels = _maker(each.content, storage), network.channels_shown(*each.content.key)
            if shown is None:
                layer = exact_layer(each.content, each.name, description)
                write = stack.enter_context(open_exact(folder / f"{each.name}.tif", each.grid, layer, tags))
                cells = axes(image, each.grid)
            else:
                write, cells = shown.open(each)
            targets.append(Target(channels, *cells, _block_writer(maker, write)))
        yield targets
        if shown is not None:
            shown.complete()
    if shown is not None:
        shown.describe(origin)


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
