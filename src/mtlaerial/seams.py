"""Seams: how much more maps change from pixel to pixel where windows meet than elsewhere.

Heights and class scores are compared across the lines at which a window begins or ends, and across the lines midway
between those. Without seams both change alike: the ratio is about 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from mtlaerial.config import Task
from mtlaerial.errors import DataError
from mtlaerial.raster import writing

if TYPE_CHECKING:  # scores are read without torch
    from torch import Tensor

    from mtlaerial.blending.targets import Finished
    from mtlaerial.blending.windowing import Axis

Place = Literal["border", "inside"]
SeamSums = dict[Task, dict[Place, tuple[float, int]]]
"""Sum of steps and number of pixels. A step is metres, or the share of probability that goes to other classes."""
FILE = "seams.json"


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


def load_seams(folder: Path) -> SeamSums:
    """Read the ``seams.json`` of a tile's maps; empty where there is none, as with maps of other origin.

    Raises
    ------
    DataError
        When it is not as this version writes it.
    """
    path = folder / FILE
    try:
        return TypeAdapter(SeamSums).validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError as error:
        found = error.errors()[0]["msg"]
        raise DataError(path, found, "sums of steps at windows' borders", "Predict again.") from None


def seam_ratio(every: Iterable[SeamSums], task: Task) -> float | None:
    """Return the mean step at borders over that inside, over some tiles; None where there was none."""
    sums = [each[task] for each in every if task in each]
    border, inside = (_mean([each[place] for each in sums]) for place in ("border", "inside"))
    return border / inside if border is not None and inside else None


def _mean(parts: Sequence[tuple[float, int]]) -> float | None:
    number = sum(n for _, n in parts)
    return sum(total for total, _ in parts) / number if number else None
