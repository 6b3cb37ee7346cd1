"""Sums of one tile."""

from pathlib import Path
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from mtlaerial.calibration.record import Calibration
from mtlaerial.config import ScoringSpec, Section, Task, TaskEntry, task_entry
from mtlaerial.config.base import is_empty
from mtlaerial.config.tasks import leading_task, leads
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.runs.constant_height import constant_of
from mtlaerial.runs.run import RunDescription
from mtlaerial.scoring.checkerboard import SpectrumSums, load_spectra
from mtlaerial.scoring.consistency import Rules, Violations, tally_consistency
from mtlaerial.scoring.joint import BOTH, ClassCounts, tally_joint
from mtlaerial.scoring.map_checks import grid_of
from mtlaerial.scoring.seams import SeamSums, load_seams
from mtlaerial.scoring.tile_sums import Confusion, Sums, tally_classes, tally_heights
from mtlaerial.scoring.tile_uncertainty import class_uncertainty, height_uncertainty
from mtlaerial.scoring.uncertainty import UncertaintySums


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
    """The same for a constant prediction, the median of the training tiles; groups ``overall`` and ``h > 3 m``.

    For what is derived from heights it is 0 m."""
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
    violations: Violations = Field(default={}, exclude_if=is_empty)
    """Cells whose predicted class and height break a rule of the data set; empty without rules."""
    true_violations: Violations = Field(default={}, exclude_if=is_empty)
    """The same of the ground truth."""
    uncertainty: UncertaintySums = Field(default=UncertaintySums(), exclude_if=lambda sums: sums.empty)
    """Sums of uncertainties; empty for a run without intervals, deviations and probabilities."""
    further: dict[Task, "TileScores"] = {}
    """The sums of tasks that are not the leading ones of their metrics, whose sums are the above."""

    @property
    def parts(self) -> tuple["TileScores", ...]:
        """The sums of the leading tasks, and those of each other task."""
        return (self, *self.further.values())

    @model_serializer(mode="wrap")
    def _without_empty_tasks(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if not self.further:
            values.pop("further", None)
        return values


def score_tile(
    maps: Path,
    tile: Path,
    description: RunDescription,
    scoring: ScoringSpec,
    rules: Rules,
    calibration: Calibration | None = None,
) -> TileScores:
    """Return the sums of a tile, from the folder of its maps and that of its prepared layers; see ``score_run``."""
    tasks = description.plan.tasks
    values: dict[str, Any] = {"seams": load_seams(maps)}
    further: dict[Task, TileScores] = {}
    uncertainty = UncertaintySums()
    for task in tasks:
        entry = task_entry(task)
        sums = _task_sums(entry, maps, tile, description, scoring)
        of_task = _task_uncertainty(entry, maps, tile, description, scoring, calibration)
        if leads(task):
            values |= sums
            uncertainty = uncertainty.plus(of_task)
        else:
            further[task] = TileScores(**sums, uncertainty=of_task)
    if all(leading_task(metrics) in tasks for metrics in BOTH):
        training = description.statistics.height
        names = [entry.name for entry in description.statistics.classes]
        median = constant_of(task_entry(leading_task("heights")), description.statistics)
        near, constant_near = tally_joint(maps, tile, len(names), median)
        values |= {"near": near, "constant_near": constant_near if training else ()}
        if rules:
            values["violations"], values["true_violations"] = tally_consistency(maps, tile, names, rules)
    return TileScores(**values, uncertainty=uncertainty, further=further)


def _task_sums(
    entry: TaskEntry, maps: Path, tile: Path, description: RunDescription, scoring: ScoringSpec
) -> dict[str, Any]:
    """Return the sums of one task's map as fields of :class:`TileScores`."""
    path, names = maps / f"{entry.map_name}.tif", [item.name for item in description.statistics.classes]
    area = ground_cell_area(grid_of(tile / f"{entry.truth}.tif"))
    if entry.metrics == "classes":
        confusion, eroded = tally_classes(path, tile, len(names))
        return {"confusion": confusion, "eroded": eroded, "label_area": area}
    training = description.statistics.height  # None without heights in the training tiles
    constant_height = constant_of(entry, description.statistics)
    tally, constant = tally_heights(path, tile, entry, names, scoring.height_bins, constant_height)
    sums: dict[str, Any] = {"height": tally.sums, "detection": tally.detection, "height_area": area}
    sums["checkerboard"] = load_spectra(maps, entry.name)
    if training:
        sums |= {"constant": constant.sums, "constant_detection": constant.detection}
    return sums


def _task_uncertainty(
    entry: TaskEntry,
    maps: Path,
    tile: Path,
    description: RunDescription,
    scoring: ScoringSpec,
    calibration: Calibration | None,
) -> UncertaintySums:
    """Return the sums of uncertainty of one task."""
    if entry.metrics == "classes":
        of_classes = calibration.classes.get(entry.name) if calibration else None
        return class_uncertainty(maps, tile, entry, of_classes.temperature if of_classes else None)
    of_heights = calibration.heights.get(entry.name) if calibration else None
    names = [item.name for item in description.statistics.classes]
    return height_uncertainty(maps, tile, entry, names, scoring.height_bins, of_heights)
