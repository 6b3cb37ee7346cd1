"""Scores of a run's maps against the ground truth: sums per tile; of their file see :mod:`.scores_file`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from mtlaerial.config import ModelSpec, PredictionSpec, Section, Task, TrainingSpec, task_entry
from mtlaerial.config.class_sets import ClassSets
from mtlaerial.config.consistency import ConsistencyRules
from mtlaerial.config.ensemble import Average
from mtlaerial.config.height_head import height_of_bins_moved
from mtlaerial.config.labelled import WHOLE
from mtlaerial.rasters.grid import area_weights
from mtlaerial.runs.cosines import Cosines
from mtlaerial.scoring.detection import COUNTS
from mtlaerial.scoring.label_masks import LabelMask, label_masks
from mtlaerial.scoring.metrics import merged_classes, without_true
from mtlaerial.scoring.object_sums import RunObjects
from mtlaerial.scoring.tile_scores import TileScores
from mtlaerial.scoring.tile_sums import OVERALL, TALL_GROUP
from mtlaerial.scoring.uncertainty import UncertaintySums, pooled_uncertainty

FORMAT = 2
"""Format of ``scores.json``: 1 had no areas of cells, and fewer sums."""
_REMARKS = (
    "trained_on", "recipe", "finished", "final_weights", "cosines", "class_sets", "consistency", "calibration",
    "ground", "objects", "areas",
)  # fmt: skip
"""Fields that are left out of the file where they are empty."""


class Scores(Section):
    """All sums of one run: the content of ``scores.json``."""

    format: int = FORMAT
    dataset: str
    title: str
    generated: bool
    method: str
    seed: int
    trained_on: str = ""
    """Name of the data set of the training where that is another; else empty."""
    tasks: tuple[Task, ...]
    weighting: str
    """Name of the weighting in training; ``unknown`` for imported weights, ``ensemble`` for several networks."""
    ensemble: tuple[str, ...] = ()
    """Names of the runs of an ensemble, such as ``town/equal/seed0``."""
    ensemble_heights: Average = "mean"
    """The average over the networks of an ensemble that heights are."""
    classes: tuple[str, ...]
    training_pixels: tuple[int, ...]
    """Pixels of each class; the most frequent is the majority class. Zeros when the training tiles are not known."""
    height_unit: float | None = None
    """Metres per unit of a second presentation of height errors."""
    mtlaerial: str
    code: str
    """Hash of the modules that trained the run."""
    scoring_code: str = ""
    """Hash of the modules that scored it."""
    network: ModelSpec | None = None
    """The network's sizes; None for an ensemble."""
    training: TrainingSpec | None = None
    """The recipe of the training; None for imported weights and for an ensemble."""
    ended_early: int | None = None
    """The epoch after which ``training.patience`` ended the training; None where it had all its epochs."""
    final_weights: dict[Task, float] = {}
    """Weights of the tasks at the end of the training, from :func:`mtlaerial.runs.final_weights.final_weights`; empty
    for one task, an ensemble and imported weights."""
    cosines: tuple[Cosines, ...] = ()
    """Cosines between the tasks' gradients over the training; empty where ``final_weights`` are."""
    prediction: PredictionSpec | None = None
    """Settings that the maps were predicted with."""
    protocol: str = ""
    """Protocol of the split, as a phrase, e.g. "fixed split, no buffer"."""
    recipe: str = ""
    """Name of the recipe, and the keys that were changed after it; empty without one."""
    finished: str = ""
    """Of a finished row that was taken instead of trained: its folder, machine and code; else empty."""
    without_classes: tuple[str, ...] = ()
    """Classes that a second set of semantic scores leaves out."""
    class_sets: ClassSets = {}
    """Sets of classes that are scored as one class each, by name."""
    had_other_sets: Annotated[bool, Field(exclude=True)] = False
    """Whether ``class_sets`` are those of another row of its table, in place of its own."""
    consistency: ConsistencyRules = {}
    """Rules between tasks that the maps were scored by; empty for a run of one task."""
    calibration: tuple[str, ...] = ()
    """Sentences on the calibration of the run; empty without one."""
    ground: tuple[str, ...] = ()
    """Sentences on test tiles on ground that the run, or one that it began with, was trained on; empty without any."""
    objects: RunObjects | None = None
    """Sums over objects of the maps of all test tiles; None where none are made."""
    areas: dict[str, tuple[str, ...]] = {}
    """Of pooled folds the test tiles of each fold; empty for a fixed split, and in the file of a fold."""
    tiles: dict[str, TileScores]

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, data: Any) -> Any:
        return height_of_bins_moved(data)

    @model_serializer(mode="wrap")
    def _without_empty_remarks(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        return {name: value for name, value in values.items() if value or name not in _REMARKS}

    @property
    def label_masks(self) -> dict[str, LabelMask]:
        """The masks of the semantic scores, by name."""
        return label_masks(self.without_classes)

    @property
    def updates(self) -> int | None:
        """Number of updates of the training; None where its recipe is not known."""
        if self.training is None:
            return None
        return self.training.steps_per_epoch * (self.ended_early or self.training.epochs)

    @property
    def labelled(self) -> Mapping[Task, float]:
        """Per cent of the truth of a task that the training used, where that is not all."""
        return self.training.labelled if self.training else {}

    def percent_of_truth(self, task: Task) -> float:
        """Return the per cent of a task's truth that the training used, as it was asked for."""
        truth = task_entry(task).truth
        return next((share for name, share in self.labelled.items() if task_entry(name).truth == truth), WHOLE)

    @property
    def further_tasks(self) -> list[Task]:
        """The tasks that are not the leading ones of their metrics; see :attr:`TileScores.further`."""
        return list(dict.fromkeys(task for tile in self.tiles.values() for task in tile.further))

    def of(self, task: Task) -> "Scores":
        """Return the scores of a further task alone, whose sums stand in place of those of the leading tasks."""
        tiles = {name: tile.further.get(task, TileScores()) for name, tile in self.tiles.items()}
        return self.model_copy(update={"tasks": (task,), "tiles": tiles})

    def confusion(self, mask: str = "all") -> NDArray[np.float64]:
        """Return the confusion matrix over all tiles, shape (classes, classes + 1); zeros without ground truth.

        Pixels are counted in those of the finest grid: tiles weigh by area.
        """
        pooled = self._pooled_matrix("eroded" if self.label_masks[mask].eroded else "confusion", list(self.tiles))
        return without_true(pooled, self.left_out(mask))

    def of_sets(self, confusion: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return a confusion matrix of the sets of classes, shape (sets, sets + 1)."""
        codes = [[self.classes.index(name) for name in names] for names in self.class_sets.values()]
        return merged_classes(confusion, codes)

    def left_out(self, mask: str) -> list[int]:
        """Return the codes of the classes that a mask of semantic scores leaves out."""
        return [code for code, name in enumerate(self.classes) if name in self.label_masks[mask].without]

    def height(self, mask: str, source: str = "height") -> dict[str, NDArray[np.float64]]:
        """Return the height sums over all tiles by group, for a mask; ``source`` may be ``constant``.

        Cells are counted in those of the finest grid: tiles weigh by area.
        """
        total: dict[str, NDArray[np.float64]] = {}
        for name, weight in self.height_weights().items():
            for group, sums in getattr(self.tiles[name], source).get(mask, {}).items():
                total[group] = total.get(group, 0) + weight * np.array(sums)
        return total

    @property
    def height_bins(self) -> list[str]:
        """The groups of heights that are bins of the true height, in the order of the tiles."""
        others = {OVERALL, TALL_GROUP, *(f"class {name}" for name in self.classes)}
        groups = dict.fromkeys(group for tile in self.tiles.values() for group in tile.height.get("all", {}))
        return [group for group in groups if group not in others]

    def detection(self) -> NDArray[np.float64]:
        """Return the counts named by ``detection.COUNTS`` over all tiles, by area; zeros without ground truth."""
        total = np.zeros(len(COUNTS))
        for name, weight in self.height_weights().items():
            if self.tiles[name].detection:
                total += weight * np.array(self.tiles[name].detection)
        return total

    def uncertainty(self) -> UncertaintySums:
        """Return the sums of uncertainty over all tiles, by area."""
        tiles = {name: tile.uncertainty for name, tile in self.tiles.items()}
        return pooled_uncertainty(tiles, self.label_weights(), self.height_weights())

    def joint(self, mask: str = "all") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the confusion matrix over the tiles with both layers, and the pixels right in both, by class.

        Those that a mask leaves out are not counted; eroded labels have no such scores.
        """
        names = [name for name, tile in self.tiles.items() if tile.near]
        weights = self.label_weights()
        near = np.zeros(len(self.classes))
        for name in names:
            near += weights[name] * np.array(self.tiles[name].near)
        near[self.left_out(mask)] = 0
        return without_true(self._pooled_matrix("confusion", names), self.left_out(mask)), near

    def label_weights(self) -> dict[str, float]:
        """Return the weights of pixels that add up to areas, for the tiles with labels."""
        areas = {name: tile.label_area for name, tile in self.tiles.items() if tile.confusion or tile.eroded}
        return dict(zip(areas, area_weights(list(areas.values())).tolist(), strict=True))

    def height_weights(self) -> dict[str, float]:
        """Return the weights of cells that add up to areas, for the tiles with heights."""
        areas = {name: tile.height_area for name, tile in self.tiles.items() if tile.height or tile.constant}
        return dict(zip(areas, area_weights(list(areas.values())).tolist(), strict=True))

    def _pooled_matrix(self, field: str, names: Sequence[str]) -> NDArray[np.float64]:
        total = np.zeros((len(self.classes), len(self.classes) + 1))
        weights = self.label_weights()
        for name in names:
            matrix = getattr(self.tiles[name], field)
            if matrix:
                total += weights[name] * np.array(matrix, dtype=np.float64)
        return total
