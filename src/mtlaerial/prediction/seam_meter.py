"""Meter of the steps of values at windows' borders, fed while a map is made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from mtlaerial.config import Task, task_entry
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import Axis
from mtlaerial.scoring.seams import FILE, Place, SeamSums, seam_ratio
from mtlaerial.system.files import write_text


class SeamMeter:
    """Sums of the steps between neighbouring blended values, on borders of windows and between them.

    Parameters
    ----------
    down, across : Axis
        Windows along rows and columns.
    channels : mapping of task to slice
        Channels of class scores, and of values of one pass or several.
    """

    def __init__(self, down: Axis, across: Axis, channels: Mapping[Task, slice]) -> None:
        self._lines = [lines(axis.borders, axis.length) for axis in (down, across)]
        self._channels = channels
        self.sums: SeamSums = {task: {"border": (0.0, 0), "inside": (0.0, 0)} for task in channels}

    def __call__(self, finished: Finished) -> None:
        """Add the steps whose second pixel is newly finished, so that each counts once."""
        values, (top, bottom), (left, right) = finished.values, finished.rows, finished.columns
        y, x = finished.top, finished.left
        of_rows = values[:, :, left - x : right - x], top, bottom, y
        of_columns = values[:, top - y : bottom - y].transpose(1, 2), left, right, x
        for places, (part, begin, end, origin) in zip(self._lines, (of_rows, of_columns), strict=True):
            for place, pixels in places.items():
                after = [pixel - origin for pixel in pixels if begin <= pixel < end]
                if after:
                    before = [pixel - 1 for pixel in after]
                    self._add(place, part[:, after], part[:, before])

    def _add(self, place: Place, after: Tensor, before: Tensor) -> None:
        for task, channels in self._channels.items():
            a, b = after[channels], before[channels]
            # Half the L1 distance of two distributions is the share of probability that changes its class.
            of_classes = task_entry(task).output == "classes"
            step = (a - b).abs().sum(dim=0) / 2 if of_classes else (a.mean(dim=0) - b.mean(dim=0)).abs()
            valid = step[~step.isnan()]
            total, number = self.sums[task][place]
            self.sums[task][place] = total + float(valid.double().sum()), number + valid.numel()

    def findings(self) -> Iterator[str]:
        """Yield a line of text per task."""
        for task in self.sums:
            if (ratio := seam_ratio([self.sums], task)) is not None:
                yield f"{task}: steps at borders of windows are {ratio:.2f} of those elsewhere"

    def save(self, folder: Path) -> None:
        """Write ``seams.json``."""
        write_text(folder / FILE, json.dumps(self.sums))


def lines(borders: Sequence[int], length: int) -> dict[Place, list[int]]:
    """Return the lines to compare, each as the pixel after it: borders of windows, and lines midway between them."""
    edges = [0, *borders, length]
    midway = [(a + b) // 2 for a, b in pairwise(edges) if b - a >= 4]
    return {"border": list(borders), "inside": midway if borders else []}
