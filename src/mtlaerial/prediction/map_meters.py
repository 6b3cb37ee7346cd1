"""Meters of a map's quality that need no truth, fed while the map is made."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mtlaerial.config import Task
from mtlaerial.config.tasks import tasks_with
from mtlaerial.prediction.blending.targets import Finished
from mtlaerial.prediction.blending.windows import Axis
from mtlaerial.prediction.checkerboard_meter import CheckerboardMeter
from mtlaerial.prediction.coverage_meter import CoverageMeter
from mtlaerial.prediction.seam_meter import SeamMeter


class MapMeters:
    """Seams, grids of heights, and the share of the image that is mapped.

    Parameters
    ----------
    down, across : Axis
        Windows along rows and columns.
    channels : mapping of task to slice
        Channels of class scores, and of heights of one pass or several.
    """

    CONTEXT = CheckerboardMeter.CONTEXT
    """Finished pixels before the new ones that the meters need."""

    def __init__(self, down: Axis, across: Axis, channels: Mapping[Task, slice]) -> None:
        self._saved: list[SeamMeter | CheckerboardMeter] = [SeamMeter(down, across, channels)]
        self._saved += [CheckerboardMeter(task, channels[task]) for task in tasks_with("heights", channels)]
        self.coverage = CoverageMeter()

    def __call__(self, finished: Finished) -> None:
        """Add the newly finished pixels."""
        for meter in (*self._saved, self.coverage):
            meter(finished)

    def findings(self) -> Iterator[str]:
        """Yield lines of text for the user."""
        for meter in self._saved:
            yield from meter.findings()

    def save(self, folder: Path) -> None:
        """Write ``seams.json``, and the spectra of each task of heights."""
        for meter in self._saved:
            meter.save(folder)
