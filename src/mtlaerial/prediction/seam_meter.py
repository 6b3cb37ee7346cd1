"""Measurement of steps at windows' borders while a map is made."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import Axis
from mtlaerial.scoring.seams import FILE, Place, SeamSums
from mtlaerial.system.files import writing


class SeamMeter:
    """Adds up the steps of blended values; gets them from the engine as they are finished.

    Parameters
    ----------
    down, across : Axis
        The windows.
    channels : mapping of task to slice
        Channels of each task's values: class scores, and heights of one pass or several.
    """

    def __init__(self, down: Axis, across: Axis, channels: Mapping[Task, slice]) -> None:
        self._lines = [lines(axis.borders, axis.length) for axis in (down, across)]
        self._channels = channels
        self.sums: SeamSums = {task: {"border": (0.0, 0), "inside": (0.0, 0)} for task in channels}

    def __call__(self, finished: Finished) -> None:
        """Add steps whose second pixel is finished now."""
        values, (top, bottom), (left, right) = finished.values, finished.rows, finished.columns
        y, x = finished.top, finished.left
        of_rows = values[:, :, left - x : right - x], top, bottom, y
        of_columns = values[:, top - y : bottom - y].transpose(1, 2), left, right, x
        for places, (part, begin, end, origin) in zip(self._lines, (of_rows, of_columns), strict=True):
            for place, chosen in places.items():
                now = [line - origin for line in chosen if begin <= line < end]
                if now:
                    self._add(place, part[:, now], part[:, [line - 1 for line in now]])

    def _add(self, place: Place, here: Tensor, before: Tensor) -> None:
        for task, channels in self._channels.items():
            a, b = here[channels], before[channels]
            step = (a - b).abs().sum(dim=0) / 2 if task == "semantics" else (a.mean(dim=0) - b.mean(dim=0)).abs()
            known = step[~step.isnan()]
            total, number = self.sums[task][place]
            self.sums[task][place] = total + float(known.double().sum()), number + known.numel()

    def save(self, folder: Path) -> None:
        """Write ``seams.json``."""
        with writing(folder / FILE) as partial:
            partial.write_text(json.dumps(self.sums), encoding="utf-8")


def lines(borders: Sequence[int], length: int) -> dict[Place, list[int]]:
    """Return the lines to compare, as the pixels after them: borders of windows, and those midway between."""
    edges = [0, *borders, length]
    midway = [(a + b) // 2 for a, b in pairwise(edges) if b - a >= 4]
    return {"border": list(borders), "inside": midway if borders else []}
