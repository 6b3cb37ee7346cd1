"""Logger of trainings for TensorBoard: scalars of the history, and pictures of sample patches."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from mtlaerial.config import DashboardSpec
from mtlaerial.dashboard.event_file import PATTERN, EventFile
from mtlaerial.dashboard.picture import DPI, draw
from mtlaerial.dashboard.sample_patches import SamplePatches
from mtlaerial.prediction.map_network import MapNetwork
from mtlaerial.training.job import TrainingJob

FOLDER = "tensorboard"
"""Folder of the event files in a run's folder."""
GROUPS = ("loss", "val", "constant", "weight", "norm", "cosine")
"""Beginnings of columns that TensorBoard shows together."""


class TensorBoard:
    """Watcher that writes event files in the run's folder, below ``tensorboard``.

    A resumed training adds a file, and TensorBoard drops what the earlier ones have after the step that it goes on
    from. A new training removes the files of an earlier one.

    Parameters
    ----------
    job : TrainingJob
    """

    def __init__(self, job: TrainingJob) -> None:
        self.folder, self.statistics = job.folder / FOLDER, job.statistics
        self.steps_per_epoch = job.plan.training.steps_per_epoch
        self.samples = SamplePatches((job.dashboard or DashboardSpec()).samples, job)
        self._events: EventFile | None = None
        self._last: Mapping[str, Any] = {}

    def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Open an event file; write the rows of a resumed training where no earlier file has them."""
        earlier = list(self.folder.glob(PATTERN))
        if not rows:
            for path in earlier:
                path.unlink()
        resumed = rows[-1]["step"] + 1 if rows and earlier else None
        self._events = EventFile(self.folder, resumed)
        for row in rows if resumed is None else rows[-1:]:
            self._last = row
            if resumed is None:
                self._write(row, row)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row of the history, or new columns of the last one."""
        written = self._last if self._last.get("step") == row["step"] else {}
        self._last = dict(row)
        self._write(row, {column: value for column, value in row.items() if column not in written})

    def look(self, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        """Write a picture of the patches after an epoch."""
        if self._events and (maps := self.samples.predict(network, device)):
            figure = draw(self.samples.patches, maps, self.statistics, self.samples.heading(epoch))
            self._events.add_picture("patches", pixels(figure), epoch * self.steps_per_epoch)

    def close(self) -> None:
        """Close the event file."""
        if self._events:
            self._events.close()

    def _write(self, row: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        assert self._events
        values = {tag(column): float(value) for column, value in columns.items() if column not in ("step", "epoch")}
        self._events.add_scalars(values, row["step"])


def tag(column: str) -> str:
    """Return TensorBoard's tag of a column, its group before a slash.

    Examples
    --------
    >>> tag("val_mIoU"), tag("learning_rate")
    ('val/mIoU', 'learning_rate')
    """
    group, _, rest = column.partition("_")
    return f"{group}/{rest}" if group in GROUPS else column


def pixels(figure: Figure) -> NDArray[np.uint8]:
    """Return a drawn figure, shape (rows, columns, 3)."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI)
    return np.asarray(Image.open(file).convert("RGB"))
