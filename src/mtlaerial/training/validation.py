"""Scoring a network on the validation tiles while it is trained."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import Layer, Task
from mtlaerial.prediction.array_maps import predict_arrays
from mtlaerial.prediction.blending.blender import Blender
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.rasters.grid import area_weights
from mtlaerial.rasters.ground_size import ground_cell_area
from mtlaerial.scoring.metrics import (
    confusion_matrix,
    height_scores,
    height_sums,
    semantic_scores,
    without_true,
)
from mtlaerial.system.signals import Stop
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.tiles.tile import Tile

SHOWN = ("OA", "mIoU", "MAE", "RMSE")


class Validator:
    """Full-tile scores of the validation tiles, and one number to choose weights by.

    Parameters
    ----------
    tiles : sequence of Tile
    statistics : Statistics
        Of the training tiles.
    untrained : collection of int, optional
        Codes of classes that are never trained: their pixels are ignored.

    Attributes
    ----------
    constant : dict of score to float
        Scores of the constant prediction: the most frequent class that is trained, and the median height,
        of the training tiles.
    """

    def __init__(self, tiles: Sequence[Tile], statistics: Statistics, untrained: Collection[int] = ()) -> None:
        self.tiles, self.untrained = tiles, untrained
        self.classes = [entry.name for entry in statistics.classes]
        trained = [code not in untrained for code in range(len(self.classes))]
        pixels = [entry.pixels * learned for entry, learned in zip(statistics.classes, trained, strict=True)]
        maps: dict[Task, list[NDArray[Any]]] = {}
        if pixels:
            majority = pixels.index(max(pixels))
            maps["semantics"] = [np.full(tile.labels.shape[:2], majority, np.uint8) for tile in tiles]
        if statistics.height:
            median = statistics.height.median
            maps["height"] = [np.full(tile.height.shape[:2], median, np.float32) for tile in tiles]
        self.constant = self._scores(maps)

    def __call__(self, blender: Blender, network: MapNetwork, stop: Stop) -> dict[str, float]:
        """Return the scores, and ``score``: the mean of mIoU and of 1 - MAE / MAE of the training median.

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
        skills = [scores["mIoU"]] if "mIoU" in scores else []
        if scores.get("MAE") is not None and self.constant.get("MAE"):
            skills.append(1 - scores["MAE"] / self.constant["MAE"])
        if skills:
            # An error that is not a number is worse than any: compared as NaN, it would be the best for ever.
            scores["score"] = float(np.nan_to_num(np.mean(skills), nan=-np.inf))
        return scores

    def _scores(self, maps: Mapping[Task, Sequence[NDArray[Any]]]) -> dict[str, float]:
        scores: dict[str, float] = {}
        if "semantics" in maps:
            pairs = zip(self.tiles, maps["semantics"], strict=True)
            n = len(self.classes)
            matrices = [confusion_matrix(t.labels[..., 0].cpu().numpy(), m, n) for t, m in pairs]
            confusion = without_true(self._pooled("labels", matrices), self.untrained)
            scores |= semantic_scores(confusion, self.classes)
        if "height" in maps:
            pairs = zip(self.tiles, maps["height"], strict=True)
            truths = ((t.height[..., 0].cpu().numpy().ravel(), m.ravel()) for t, m in pairs)
            sums = [height_sums(h, m, np.zeros(h.size, int), 1)["all"][0] for h, m in truths]
            scores |= height_scores(self._pooled("height", sums))
        return {key: scores[key] for key in SHOWN if key in scores}

    def _pooled(self, layer: Layer, sums: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Add up sums of the tiles, by the area of the layer's cells."""
        present = [index for index, entry in enumerate(sums) if entry.any()]
        weights = area_weights([ground_cell_area(self.tiles[index].grids[layer]) for index in present])
        total = np.zeros(np.shape(sums[0]))
        for index, weight in zip(present, weights.tolist(), strict=True):
            total += weight * sums[index]
        return total
