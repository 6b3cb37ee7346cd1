"""Runs of one data set on the test tiles of another: prediction, classes and description."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mtlaerial.config import IGNORED, DatasetSpec, PredictionSpec
from mtlaerial.config.tasks import installed_entries
from mtlaerial.config.transfer import is_resampled
from mtlaerial.maps.annotation import annotate
from mtlaerial.pipeline.scored_run import renamed
from mtlaerial.pipeline.seen_tiles import require_unseen
from mtlaerial.prediction.image_match import MatchingImage, match_image
from mtlaerial.prediction.image_options import ImageOptions
from mtlaerial.prediction.map_layers import Content, exact_layer
from mtlaerial.rasters.geotiff import create_raster, open_raster
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.reporting.transfers import RESAMPLED
from mtlaerial.runs.cost import PredictionCost
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.system.files import write_text
from mtlaerial.tiles.statistics import ClassStatistics

Codes = Sequence[int]
"""Code of the tested data set for each class of the run; empty where one of them has no classes."""


def transferred(run: RunDescription, tested: str, spec: DatasetSpec, codes: Codes) -> RunDescription:
    """Return a run's description as a row of the data set that it is tested on, with the classes of that.

    Parameters
    ----------
    run : RunDescription
    tested : str
        Name of the data set.
    spec : DatasetSpec
    codes : sequence of int
        See :data:`Codes`.
    """
    name = f"{run.plan.method} ({run.plan.dataset})"
    if not codes or not spec.labels:
        return renamed(run, spec, tested, name)
    pixels = [0] * len(spec.labels.classes)
    for code, trained in zip(codes, run.statistics.classes, strict=True):
        pixels[code] += trained.pixels
    classes = zip(spec.labels.classes, pixels, strict=True)
    counted = tuple(ClassStatistics(name=each.name, colour=each.colour, pixels=number) for each, number in classes)
    return renamed(run, spec, tested, name, counted)


def predict_elsewhere(
    folder: Path,
    prediction: PredictionSpec,
    tested: str,
    spec: DatasetSpec,
    codes: Codes,
    tiles: Sequence[Path],
    out: Path,
) -> PredictionCost:
    """Write the maps of another data set's test tiles by a run, in the classes of that data set.

    Images whose pixels differ by more than a tenth from those of the training are resampled to them as they are read;
    maps have the grid of the ground truth all the same. ``resampled.json`` in ``out`` names these tiles.

    Parameters
    ----------
    folder : Path
        The run's.
    prediction : PredictionSpec
    tested : str
        Name of the tested data set.
    spec : DatasetSpec
    codes : sequence of int
        See :data:`Codes`.
    tiles : sequence of Path
        Folders of its prepared test tiles.
    out : Path

    Raises
    ------
    DataError, MismatchError
        When the run has seen one of the tiles, or their images do not match its training data.
    """
    from mtlaerial.prediction.predictor import Predictor

    description = load_description(folder)
    require_unseen(folder, description, tiles, "Take it out of splits.test, or out of the training.")
    relabelled = list(codes) != list(range(len(codes))) or len(codes) != len(spec.class_names)
    if codes and relabelled and prediction.layers:  # maps of probabilities have the run's own classes
        prediction = prediction.model_copy(update={"layers": ()})
    predictor = Predictor(folder, prediction)
    sizes: dict[str, float] = {}
    cost = predictor.predict_tiles(tiles, out, _matcher(description, spec.gsd, sizes))
    if codes and relabelled:
        described = transferred(description, tested, spec, codes)
        for tile in tiles:
            _relabel(out / tile.name, described, codes)
    record = {"trained": description.statistics.gsd, "tiles": sizes}
    write_text(out / RESAMPLED, json.dumps(record, indent=1))
    return cost


def _matcher(run: RunDescription, gsd: float | None, sizes: dict[str, float]) -> Callable[[Path], MatchingImage]:
    """Return the function that matches a tile's image to a run, and notes those that it resamples."""

    def match(path: Path) -> MatchingImage:
        with open_raster(path) as source:
            grid, bands = Grid.of(source), source.indexes
        stated = None if grid.georeferenced else gsd
        sides = (stated, stated) if stated else ground_pixel_size(grid)
        resample = is_resampled(sides, run.statistics.gsd)
        if resample:
            sizes[path.parent.name] = max(sides)
        return match_image(path, run, ImageOptions(bands, stated, resample))

    return match


def _relabel(folder: Path, described: RunDescription, codes: Codes) -> None:
    """Write the maps of classes of a tile again, in the codes of the data set that they are tested on."""
    table = np.full(IGNORED + 1, IGNORED, np.uint8)
    table[: len(codes)] = codes
    for entry in installed_entries():
        path = folder / f"{entry.map_name}.tif"
        if entry.metrics != "classes" or not path.is_file():
            continue
        (shown,) = [layer for layer in entry.possible_maps if layer.shows == "classes"]
        with open_raster(path) as source:
            pixels, grid, tags = source.read(1), Grid.of(source), source.tags()
        layer = exact_layer(Content(entry.name, shown), path.stem, described)
        other_tags = {key: value for key, value in tags.items() if not key.startswith(("CLASS_", "AREA_OR_POINT"))}
        with create_raster(path, grid, **layer.profile) as target:
            annotate(target, layer, other_tags)
            target.write(table[pixels], 1)
