"""Scoring a network on the validation tiles while it is trained."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import TASKS, Layer, Task, TaskEntry, task_entry
from mtlaerial.config.tasks import registry_order, tasks_with
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.rasters.grid import area_weights
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.runs.constant_height import constant_of
from mtlaerial.runs.history_columns import VALIDATED, score_key
from mtlaerial.scoring.metrics import (
    confusion_matrix,
    height_sums,
    length_scores,
    semantic_scores,
    without_true,
)
from mtlaerial.system.signals import Stop
from mtlaerial.tiles.derived_truth import tile_truth
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import Tile


class Validator:
    """Full-tile scores of the validation tiles, and one number to choose weights by.

    Parameters
    ----------
    tiles : sequence of Tile
    statistics : Statistics
        Of the training tiles.
    untrained : collection of int, optional
        Codes of classes that are never trained: their pixels are ignored.
    tasks : sequence of Task, optional
        Tasks that the constant prediction is scored for; by default the package's.
    weights : mapping of task to float, optional
        Weights of tasks in the number to choose by; 1 where there is none.

    Attributes
    ----------
    constant : dict of score to float
        Scores of the constant prediction: the most frequent class that is trained, and the median height,
        of the training tiles; 0 m for what is derived from heights.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        statistics: Statistics,
        untrained: Collection[int] = (),
        tasks: Sequence[Task] = tuple(TASKS),
        weights: Mapping[Task, float] = MappingProxyType({}),
    ) -> None:
        self.tiles, self.untrained, self.weights = tiles, untrained, weights
        self.classes = [entry.name for entry in statistics.classes]
        self.constant = self._scores(self._constant_maps(statistics, tasks))

    def _constant_maps(self, statistics: Statistics, tasks: Sequence[Task]) -> dict[Task, list[NDArray[Any]]]:
        trained = [code not in self.untrained for code in range(len(self.classes))]
        pixels = [entry.pixels * learned for entry, learned in zip(statistics.classes, trained, strict=True)]
        maps: dict[Task, list[NDArray[Any]]] = {}
        for task in tasks_with("classes", tasks) if pixels else ():
            majority = pixels.index(max(pixels))
            maps[task] = [np.full(tile.labels.shape[:2], majority, np.uint8) for tile in self.tiles]
        for task in tasks_with("heights", tasks) if statistics.height else ():
            constant = constant_of(task_entry(task), statistics) / task_entry(task).metres
            maps[task] = [np.full(tile.height.shape[:2], constant, np.float32) for tile in self.tiles]
        return maps

    def __call__(self, blender: Blender, network: MapNetwork, stop: Stop) -> dict[str, float]:
        """Return the scores, and ``score``: the weighted mean over tasks of mIoU, or of 1 - MAE / MAE of the median.

        Raises
        ------
        Stopped
            Before a tile, when the program was asked to end.
        """
        maps: dict[Task, list[NDArray[Any]]] = {task: [] for task in network.outputs}
        for tile in self.tiles:
            stop.check()
            for task, array in predict_arrays(blender, network, tile).items():
                maps[task].append(array)
        scores = self._scores(maps)
        tasks = sorted(maps, key=registry_order)
        skills = {task: skill for task in tasks if (skill := self._skill(task, scores)) is not None}
        if skills:
            weights = [self.weights.get(task, 1.0) for task in skills]
            mean = np.average(list(skills.values()), weights=weights)
            # An error that is not a number is worse than any: compared as NaN, it would be the best for ever.
            scores["score"] = float(np.nan_to_num(mean, nan=-np.inf))
        return scores

    def _skill(self, task: Task, scores: Mapping[str, float]) -> float | None:
        """Return a task's part of the number to choose weights by; None without truth."""
        if task_entry(task).metrics == "classes":
            return scores.get(score_key(task, "mIoU"))
        key = score_key(task, "MAE")
        measured = scores.get(key) is not None and self.constant.get(key)
        return 1 - scores[key] / self.constant[key] if measured else None

    def _scores(self, maps: Mapping[Task, Sequence[NDArray[Any]]]) -> dict[str, float]:
        scores: dict[str, float] = {}
        for task in sorted(maps, key=registry_order):
            entry = task_entry(task)
            if entry.metrics == "classes":
                values = self._class_scores(maps[task])
            else:
                values = self._height_scores(maps[task], entry)
            shown = [score for score in VALIDATED[entry.metrics] if score in values]
            scores |= {score_key(task, score): values[score] for score in shown}
        return scores

    def _class_scores(self, maps: Sequence[NDArray[Any]]) -> dict[str, float]:
        pairs = zip(self.tiles, maps, strict=True)
        n = len(self.classes)
        matrices = [confusion_matrix(t.labels[..., 0].cpu().numpy(), m, n) for t, m in pairs]
        confusion = without_true(self._pooled("labels", matrices), self.untrained)
        return semantic_scores(confusion, self.classes)

    def _height_scores(self, maps: Sequence[NDArray[Any]], entry: TaskEntry) -> dict[str, float]:
        """Return the scores of heights, NaN where one of them is no number; empty without truth."""
        sums = []
        for tile, heights in zip(self.tiles, maps, strict=True):
            truth, metres = tile_truth(entry, tile).ravel(), heights.ravel() * np.float32(entry.metres)
            predicted = np.where(np.isfinite(metres), metres, np.float32(np.nan))
            sums.append(height_sums(truth, predicted, np.zeros(truth.size, int), 1)["all"][0])
        if not any(tile_sums.any() for tile_sums in sums):
            return {}
        return {name: float(value) for name, value in length_scores(self._pooled("height", sums)).items()}

    def _pooled(self, layer: Layer, sums: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Add up sums of the tiles, by the area of the layer's cells."""
        present = [index for index, entry in enumerate(sums) if entry.any()]
        weights = area_weights([ground_cell_area(self.tiles[index].grids[layer]) for index in present])
        total = np.zeros(np.shape(sums[0]))
        for index, weight in zip(present, weights.tolist(), strict=True):
            total += weight * sums[index]
        return total
