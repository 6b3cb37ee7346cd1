"""Sums of uncertainty over one tile, from its maps, its ground truth and the calibration of the run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.calibration.intervals import height_interval
from mtlaerial.calibration.record import HeightCalibration, percent
from mtlaerial.calibration.temperature import with_temperature
from mtlaerial.config import IGNORED, TaskEntry
from mtlaerial.rasters.geotiff import map_raster, row_blocks
from mtlaerial.scoring.height_truth import HeightTruth
from mtlaerial.scoring.tile_maps import open_heights, open_map, probabilities_of
from mtlaerial.scoring.tile_sums import TileClasses
from mtlaerial.scoring.uncertainty import UncertaintySums, class_sums, height_sums_of, sums_before

ROWS = 128
"""Rows of a block of probabilities, which have a band per class."""


def class_uncertainty(maps: Path, tile: Path, entry: TaskEntry, temperature: float | None) -> UncertaintySums:
    """Return the sums of a map of class probabilities; empty without one, or without labels.

    Parameters
    ----------
    maps : Path
        Folder of the tile's maps.
    tile : Path
        Folder of the prepared tile.
    entry : TaskEntry
    temperature : float or None
        By which probabilities are calibrated; None where they are not.

    Raises
    ------
    DataError
        When the map differs from the labels in size.
    """
    path, true = maps / f"{probabilities_of(entry).name}.tif", map_raster(tile / "labels.tif")
    total = UncertaintySums()
    if not path.is_file() or not (true != IGNORED).any():
        return total
    with open_map(path, tile / "labels.tif") as read:
        for top, rows in row_blocks(len(true), ROWS):
            probabilities, classes = read(top, rows), np.asarray(true[top : top + rows])
            if temperature:
                total = total.plus(sums_before(probabilities, classes))
                probabilities = with_temperature(probabilities, temperature)
            total = total.plus(class_sums(probabilities, classes))
    return total


def height_uncertainty(
    maps: Path,
    tile: Path,
    entry: TaskEntry,
    names: Sequence[str],
    bins: Sequence[float],
    calibration: HeightCalibration | None,
) -> UncertaintySums:
    """Return the sums of intervals and of a map of standard deviations; empty without both, or without heights.

    Intervals are not cut at 0: true heights may be below.

    Parameters
    ----------
    maps, tile, entry
        As of :func:`class_uncertainty`.
    names : sequence of str
        The classes, in the order of their codes.
    bins : sequence of float
        Inner edges in metres of the bins by true and by predicted height.
    calibration : HeightCalibration or None

    Raises
    ------
    ConfigError
        When the calibration needs a deviation, and there is no map of it.
    DataError
        When a map differs from the heights in size.
    """
    true, total = HeightTruth(tile, entry), UncertaintySums()
    deviation = entry.deviation
    if deviation and not (maps / f"{deviation.name}.tif").is_file():
        deviation = None
    if true.empty or not (deviation or calibration):
        return total
    classes, truth = TileClasses(tile), tile / "height.tif"
    with open_heights(maps, entry, deviation, truth) as read:
        for top, rows in row_blocks(len(map_raster(truth))):
            predicted, s = read(top, rows)
            bounds = intervals(calibration, predicted, s) if calibration else {}
            total = total.plus(height_sums_of(true(top, rows), predicted, s, bounds, classes(top, rows), names, bins))
    return total


def intervals(
    calibration: HeightCalibration, predicted: NDArray[np.float32], deviation: NDArray[np.float32] | None
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return lower and upper bounds in metres by level, such as ``90 %``."""
    levels = calibration.levels
    return {percent(level): height_interval(calibration, level, predicted, deviation) for level in levels}
