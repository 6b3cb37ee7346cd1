"""Joint score of semantics and height: mIoU-3."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import task_entry
from mtlaerial.config.task_entry import Metrics
from mtlaerial.config.tasks import leading_task
from mtlaerial.rasters.geotiff import map_raster, open_raster, row_blocks
from mtlaerial.rasters.grid import Grid
from mtlaerial.scoring.map_checks import with_nan
from mtlaerial.scoring.metrics import finite_mean, ratio_of
from mtlaerial.scoring.nearest_cells import NearestCells

BOTH: tuple[Metrics, Metrics] = ("classes", "heights")
"""Metrics whose leading tasks scores of both tasks need."""
TOLERANCE = 1.0
"""Metres: largest height error of a true positive."""
ClassCounts = tuple[int, ...]
"""Pixels per class."""


def tally_joint(maps: Path, tile: Path, classes: int, median: float) -> tuple[ClassCounts, ClassCounts]:
    """Count the pixels whose class is right and whose height is near the true one, by class.

    The pixels are those of the labels' grid. Their true and predicted heights are those of the height cells that hold
    their centres. A pixel without a true height counts as near.

    Parameters
    ----------
    maps : Path
        Folder with the maps of the leading tasks: classes on the grid of the labels, heights on that of the heights.
    tile : Path
        Folder of the prepared tile.
    classes : int
    median : float
        The constant prediction of the height in metres.

    Returns
    -------
    tuple of ClassCounts
        Of the maps; and the pixels of each class at which the constant height is near, whatever class is predicted.
        Both are empty where the tile has no heights or no labels.
    """
    true_heights, true_classes = map_raster(tile / "height.tif"), map_raster(tile / "labels.tif")
    if not np.isfinite(true_heights).any() or not (true_classes < classes).any():
        return (), ()
    hits, constant = np.zeros(classes, dtype=np.int64), np.zeros(classes, dtype=np.int64)
    class_map, height_map = (maps / f"{task_entry(leading_task(metrics)).map_name}.tif" for metrics in BOTH)
    with open_raster(class_map) as semantics, open_raster(height_map) as heights:
        cells = NearestCells(Grid.of(heights), Grid.of(semantics))
        for top, rows in row_blocks(semantics.height):
            first, number = cells.window(top, rows)
            h = cells.take(true_heights[first : first + number], top, rows, np.nan)
            block = with_nan(heights, heights.read(1, window=((first, first + number), (0, heights.width))))
            p = cells.take(block, top, rows, np.nan)
            true = np.asarray(true_classes[top : top + rows])
            right = true == semantics.read(1, window=((top, top + rows), (0, semantics.width)))
            hits += _count(true, right & _near(h, p), classes)
            constant += _count(true, _near(h, np.full_like(h, median)), classes)
    return tuple(hits.tolist()), tuple(constant.tolist())


def iou3_scores(sums: NDArray[np.float64], near: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mIoU-3 as a fraction; NaN without truth.

    Parameters
    ----------
    sums : array, shape (..., 3, classes)
        From :func:`mtlaerial.scoring.metrics.margins`, of the tiles with both truths.
    near : array, shape (..., classes)
        Pixels with the right class and a height error below 1 m.

    Returns
    -------
    array, shape (...)

    Notes
    -----
    IEEE DFC2019, track 1 (Le Saux et al. 2019, doi 10.1109/MGRS.2019.2893783; ``track1/track1-metrics.py`` of
    github.com/pubgeo/dfc2019): TP / (TP + FP + FN), where FP and FN are those of the classes alone. As there, a pixel
    of the right class with a wrong height counts in none of the three. The mean is over the classes that occur in the
    truth; the contest's is over its five classes.
    """
    hits, true, predicted = np.moveaxis(sums, -2, 0)
    whole = near + true + predicted - 2 * hits
    # A class may be right everywhere, with wrong heights everywhere: nothing is counted, and its score is 0.
    iou = np.where(whole > 0, ratio_of(near, whole), 0.0)
    return finite_mean(np.where(true > 0, iou, np.nan))


def _near(h: NDArray[np.generic], p: NDArray[np.generic]) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.isnan(h) | (abs(p.astype(np.float64) - h.astype(np.float64)) < TOLERANCE)
    return near


def _count(true: NDArray[np.uint8], chosen: NDArray[np.bool_], classes: int) -> NDArray[np.int64]:
    return np.bincount(true[chosen & (true < classes)].astype(np.int64), minlength=classes)
