"""Sums of one tile."""

from pathlib import Path
from typing import Any

from mtlaerial.config import ScoringSpec, Section
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.checkerboard import SpectrumSums, load_spectra
from mtlaerial.scoring.joint import ClassCounts, tally_joint
from mtlaerial.scoring.map_checks import grid_of
from mtlaerial.scoring.seams import SeamSums, load_seams
from mtlaerial.scoring.tile_sums import Confusion, Sums, tally_classes, tally_heights


class TileScores(Section):
    """Sums over one tile; those of an absent layer are empty."""

    confusion: Confusion = ()
    """Pixels by true class (row) and predicted class (column; the last: no prediction)."""
    eroded: Confusion = ()
    """The same without the pixels along class boundaries, as the eroded ground truth has it."""
    label_area: float = 1.0
    """Square metres of a pixel of the labels: pooling weighs tiles of different grids by area."""
    height: Sums = {}
    """Groups: ``overall``, ``class NAME``, ``LOW-HIGH m`` by true height, and ``h > 3 m``."""
    constant: Sums = {}
    """The same for a constant prediction, the median of the training tiles; groups ``overall`` and ``h > 3 m``."""
    height_area: float = 1.0
    """Square metres of a cell of the heights."""
    detection: tuple[int, ...] = ()
    """Cells by true and predicted object, as named by ``detection.COUNTS``."""
    constant_detection: tuple[int, ...] = ()
    """The same for the constant height."""
    near: ClassCounts = ()
    """Pixels of each class with the right class and a height error below 1 m; for a tile and a run with both layers."""
    constant_near: ClassCounts = ()
    """Pixels of each true class at which the error of the constant height is below 1 m."""
    seams: SeamSums = {}
    """Steps of the maps' values at window borders, and elsewhere."""
    checkerboard: SpectrumSums = {}
    """Spectra of the predicted heights at the image's resolution; empty in files of before this score."""


def score_tile(maps: Path, tile: Path, description: RunDescription, scoring: ScoringSpec) -> TileScores:
    """Return the sums of a tile, from the folder of its maps and that of its prepared layers; see ``score_run``."""
    tasks, names = description.plan.tasks, [entry.name for entry in description.statistics.classes]
    training = description.statistics.height  # None without heights in the training tiles
    median = training.median if training else 0.0
    values: dict[str, Any] = {"seams": load_seams(maps), "checkerboard": load_spectra(maps)}
    if "semantics" in tasks:
        confusion, eroded = tally_classes(maps / "semantics.tif", tile, len(names))
        values |= {"confusion": confusion, "eroded": eroded}
        values |= {"label_area": ground_cell_area(grid_of(tile / "labels.tif"))}
    if "height" in tasks:
        tally, constant = tally_heights(maps / "height.tif", tile, names, scoring.height_bins, median)
        values |= {"height": tally.sums, "detection": tally.detection}
        values |= {"height_area": ground_cell_area(grid_of(tile / "height.tif"))}
        if training:
            values |= {"constant": constant.sums, "constant_detection": constant.detection}
    if {"semantics", "height"} <= set(tasks):
        near, constant_near = tally_joint(maps, tile, len(names), median)
        values |= {"near": near, "constant_near": constant_near if training else ()}
    return TileScores(**values)
