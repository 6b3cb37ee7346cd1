"""Meter of predicted heights far beyond those of the training, fed while the map is made."""

import math
from collections.abc import Iterator, Mapping

from mtlaerial.config import Task, task_entry
from mtlaerial.config.tasks import tasks_with
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.tiles.statistics import HeightStatistics

BEYOND = 0.5
"""Share of the training's range of heights by which a height may be below or above it. Networks miss it by less, unless
they go astray, as the statistics of batch normalisation can make them in windows larger than their patches."""
LEAST_RANGE = 10.0
"""Metres that the training's range counts as at least: on flat land a little is beyond it."""


class HeightRangeMeter:
    """Counts the finished pixels whose heights are far beyond the training's, and keeps the extremes.

    Parameters
    ----------
    task : Task
        A task of heights.
    channels : slice
        Its channels, of one pass or several.
    training : HeightStatistics
        Of the training tiles.
    """

    def __init__(self, task: Task, channels: slice, training: HeightStatistics) -> None:
        self._task, self._channels, self._metres = task, channels, task_entry(task).metres
        self._training = training
        margin = BEYOND * max(training.maximum - training.minimum, LEAST_RANGE)
        self.least, self.most = training.minimum - margin, training.maximum + margin
        self.pixels = self.beyond = 0
        self.lowest, self.highest = math.inf, -math.inf

    def __call__(self, finished: Finished) -> None:
        """Count the newly finished pixels; those without image are NaN."""
        (top, bottom), (left, right) = finished.rows, finished.columns
        y, x = finished.top, finished.left
        new = finished.values[self._channels, top - y : bottom - y, left - x : right - x]
        heights = new.mean(dim=0) * self._metres
        valid = ~heights.isnan()
        pixels = int(valid.sum())
        if not pixels:
            return
        values = heights if pixels == heights.numel() else heights[valid]
        lowest, highest = (float(extreme) for extreme in values.aminmax())
        self.pixels += pixels
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        if lowest < self.least or highest > self.most:
            self.beyond += int(((values < self.least) | (values > self.most)).sum())

    def warning(self, window: int, patch: int) -> str:
        """Return a sentence on heights that are far beyond the training's; empty where none are.

        Parameters
        ----------
        window, patch : int
            Sides in pixels of the windows of the prediction, and of the patches of the training.
        """
        if not self.beyond:
            return ""
        share = 100 * self.beyond / self.pixels
        trained = f"{self._training.minimum:.1f} to {self._training.maximum:.1f} m"
        smaller = f"--window {patch}, in a configuration prediction.window"
        larger = f" Windows no larger than the training's patches may help: {smaller}." if window > patch else ""
        return (
            f"{self._task}: found {self.lowest:.1f} to {self.highest:.1f} m, and {self.beyond} pixels ({share:.3g} %) "
            f"below {self.least:.1f} or above {self.most:.1f} m; expected about {trained}, as in the training. The "
            f"network goes astray there: do not trust the map at these places.{larger}"
        )


class HeightRangeMeters:
    """A meter for each task that learns the heights of the training tiles as they are.

    Parameters
    ----------
    channels : mapping of task to slice
        Channels of all tasks.
    training : HeightStatistics, optional
        Of the training tiles; without them nothing is told.
    """

    def __init__(self, channels: Mapping[Task, slice], training: HeightStatistics | None) -> None:
        self._meters: list[HeightRangeMeter] = []
        if training is None:
            return
        for task in tasks_with("heights", channels):
            entry = task_entry(task)
            if entry.truth == "height" and not entry.derivation:
                self._meters.append(HeightRangeMeter(task, channels[task], training))

    def __call__(self, finished: Finished) -> None:
        """Count the newly finished pixels."""
        for meter in self._meters:
            meter(finished)

    def warnings(self, window: int, patch: int) -> Iterator[str]:
        """Yield the warnings of the meters; see :meth:`HeightRangeMeter.warning`."""
        for meter in self._meters:
            if warning := meter.warning(window, patch):
                yield warning
