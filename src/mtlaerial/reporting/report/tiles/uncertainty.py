"""Uncertainty of a method on a tile: the map that shows it, and how it is read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtlaerial.config import TaskEntry
from mtlaerial.figures.tile_layers import Frame, Layer, read_layer
from mtlaerial.rasters.geotiff import open_raster


@dataclass(frozen=True)
class UncertaintyMap:
    """A map of uncertainty.

    Attributes
    ----------
    path : Path
    label : str
        What it shows, with its unit.
    metres : float
        Factor to the unit.
    of_probabilities : bool
        Whether the file has a band for each class, whose highest is taken from 1.
    """

    path: Path
    label: str
    metres: float = 1.0
    of_probabilities: bool = False


def uncertainty_map(maps: Path, entry: TaskEntry) -> UncertaintyMap | None:
    """Return the uncertainty of a task in a folder of maps; None where the prediction wrote none.

    Of values it is the standard deviation; of classes the entropy, or else 1 minus the probability of the class.

    Parameters
    ----------
    maps : Path
        Folder with the maps of a tile.
    entry : TaskEntry
    """
    candidates = []
    if entry.deviation:
        label = "standard deviation (m)"
        candidates.append(UncertaintyMap(maps / f"{entry.deviation.name}.tif", label, entry.metres))
    if entry.output == "classes":
        candidates.append(UncertaintyMap(maps / f"{entry.map_name}_entropy.tif", "entropy (bits)"))
        probabilities = maps / f"{entry.map_name}_probabilities.tif"
        label = "1 − probability of the class"
        candidates.append(UncertaintyMap(probabilities, label, of_probabilities=True))
    return next((candidate for candidate in candidates if candidate.path.exists()), None)


def read_uncertainty(source: UncertaintyMap, frame: Frame, side: int) -> Layer:
    """Read an uncertainty, decimated to at most ``side`` pixels along its longer side; one band of it in memory."""
    if not source.of_probabilities:
        return read_layer(source.path, frame, side).scaled(source.metres)
    with open_raster(source.path) as raster:
        bands = range(1, raster.count + 1)
    highest = read_layer(source.path, frame, side, bands=[bands[0]])
    for band in bands[1:]:
        values = read_layer(source.path, frame, side, bands=[band]).values
        highest = Layer(np.ma.maximum(highest.values, values), highest.extent)
    return Layer(1 - highest.values, highest.extent)
