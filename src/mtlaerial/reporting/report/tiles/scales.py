"""Scales of a tile's colours: common to all methods, so that equal colours are equal numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtlaerial.config import TaskEntry
from mtlaerial.figures.height_scales import height_scale, scale_limit
from mtlaerial.figures.tile_layers import Frame, read_layer
from mtlaerial.figures.truth_layer import read_truth
from mtlaerial.reporting.report.tiles.colours import difference
from mtlaerial.reporting.report.tiles.uncertainty import read_uncertainty, uncertainty_map

SIDE = 400
"""Pixels of a layer's longer side from which its scale is computed."""
LEAST_ERROR, LEAST_UNCERTAINTY = 0.5, 0.1
"""Least ends of the scales of errors and of uncertainties, in their unit."""


@dataclass(frozen=True)
class Scales:
    """Ends of the scales of a task's pictures on a tile.

    Attributes
    ----------
    low, high : float
        Heights in metres; without a meaning for classes.
    error : float
        Largest absolute error in metres.
    uncertainty : float
        In the unit of the uncertainty.
    """

    low: float = 0.0
    high: float = 1.0
    error: float = 1.0
    uncertainty: float = 1.0


def scales_of(tile: Path, entry: TaskEntry, maps: Sequence[Path], frame: Frame) -> Scales:
    """Return the scales of a task's pictures.

    The scale of heights is that of the truth, or of the first map without any; those of errors and uncertainties are
    medians over the methods, whose own ends are the 98th percentiles.

    Parameters
    ----------
    tile : Path
        Folder of the prepared tile.
    entry : TaskEntry
    maps : sequence of Path
        Folders with the maps of the methods that learn the task.
    frame : Frame
    """
    sources = [source for folder in maps if (source := uncertainty_map(folder, entry))]
    spreads = (read_uncertainty(source, frame, SIDE).band for source in sources)
    uncertainty = _median(scale_limit(spread, LEAST_UNCERTAINTY) for spread in spreads)
    if entry.output == "classes":
        return Scales(uncertainty=uncertainty)
    truth = read_truth(tile, entry, frame, SIDE)
    # One map at a time: memory is to follow the tile, not the number of methods.
    predictions = (read_layer(folder / f"{entry.map_name}.tif", frame, SIDE).scaled(entry.metres) for folder in maps)
    if truth.empty:
        heights, error = height_scale(next(predictions).band), 1.0
    else:
        errors = (np.ma.abs(difference(truth, predicted)) for predicted in predictions)
        heights, error = height_scale(truth.band), _median(scale_limit(values, LEAST_ERROR) for values in errors)
    return Scales(float(heights.vmin or 0), float(heights.vmax or 0), error, uncertainty)


def _median(limits: Iterable[float]) -> float:
    values = list(limits)
    return float(np.median(values)) if values else 1.0
