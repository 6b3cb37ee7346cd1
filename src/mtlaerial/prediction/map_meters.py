"""Meters of a map's quality that need no truth, fed while the map is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mtlaerial.config import Task
from mtlaerial.config.tasks import tasks_with
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import Axis
from mtlaerial.prediction.checkerboard_meter import CheckerboardMeter
from mtlaerial.prediction.coverage_meter import CoverageMeter
from mtlaerial.prediction.height_range_meter import HeightRangeMeters
from mtlaerial.prediction.seam_meter import SeamMeter
from mtlaerial.tiles.statistics import HeightStatistics


class MapMeters:
    """Seams, grids of heights, heights far beyond the training's, and the share of the image that is mapped.

    Parameters
    ----------
    down, across : Axis
        Windows along rows and columns.
    channels : mapping of task to slice
        Channels of class scores, and of heights of one pass or several.
    training : HeightStatistics, optional
        Heights of the training tiles.
    """

    CONTEXT = CheckerboardMeter.CONTEXT
    """Finished pixels before the new ones that the meters need."""

    def __init__(
        self, down: Axis, across: Axis, channels: Mapping[Task, slice], training: HeightStatistics | None = None
    ) -> None:
        self._saved: list[SeamMeter | CheckerboardMeter] = [SeamMeter(down, across, channels)]
        self._saved += [CheckerboardMeter(task, channels[task]) for task in tasks_with("heights", channels)]
        self.coverage = CoverageMeter()
        self._ranges = HeightRangeMeters(channels, training)
        self._window = max(down.window, across.window)

    def __call__(self, finished: Finished) -> None:
        """Add the newly finished pixels."""
        for meter in (*self._saved, self.coverage, self._ranges):
            meter(finished)

    def findings(self) -> Iterator[str]:
        """Yield lines of text for the user."""
        for meter in self._saved:
            yield from meter.findings()

    def warnings(self, patch: int) -> Iterator[str]:
        """Return sentences on heights far beyond the training's, whose patches have a side of so many pixels."""
        return self._ranges.warnings(self._window, patch)

    def save(self, folder: Path) -> None:
        """Write ``seams.json``, and the spectra of each task of heights."""
        for meter in self._saved:
            meter.save(folder)
