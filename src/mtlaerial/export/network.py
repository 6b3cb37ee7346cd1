"""Network for export, from image values to probabilities and metres, and its traced graph."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.nn.functional import normalize

from mtlaerial.config import Task, task_entry
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.height_heads import build_height_head
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.runs.loading import Run
from mtlaerial.runs.run import RunDescription

INPUT = "image"
"""Name of the graph's input."""
_LEAST_SUM = 1e-30
"""Least sum of scores that is divided by, as in maps of probabilities."""
SMALLEST = 2
"""Least rows and columns, in multiples of the size multiple: torch.export specialises dynamic sizes of 0 and 1."""


@dataclass(frozen=True)
class Contents:
    """Contents of an exported file: the run, its outputs, and the image size."""

    description: RunDescription
    tasks: tuple[Task, ...]
    """The outputs, in their order."""
    tile: int | None = None
    """Fixed number of rows and columns of the image; None for any multiple of :attr:`multiple`."""

    @property
    def multiple(self) -> int:
        """Divisor of the image's rows and columns."""
        return self.description.plan.model.multiple

    @property
    def channels(self) -> dict[Task, int]:
        """Channels of each output: one per class, or one of values."""
        classes = len(self.description.statistics.classes)
        return {task: classes if task_entry(task).output == "classes" else 1 for task in self.tasks}


class ExportedNetwork(nn.Module):
    """Network of a run for export: normalisation, network with folded batch norms, activation, units.

    Parameters
    ----------
    run : Run
        A run on the CPU; it is not changed.
    contents : Contents
        Contents of the file.
    """

    def __init__(self, run: Run, contents: Contents) -> None:
        super().__init__()
        self.normalise = Normalisation(*run.description.statistics.range)
        plan = run.description.plan
        self.activation = plan.prediction.activation
        self.heights = build_height_head(plan.training, plan.prediction.height_of_bins)
        self.network = folded(run.model)
        self.network.restrict(contents.tasks)  # lest unused heads enter the file
        self.tasks = contents.tasks

    def forward(self, image: Tensor) -> dict[Task, Tensor]:
        """Return class probabilities, and values in the unit of their maps.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float32
            Values of the image file, not normalised; NaN marks no-data.

        Returns
        -------
        dict of Task to Tensor
            Classes: (batch, classes, rows, columns), sum 1 over the classes. Values: (batch, 1, rows, columns).
        """
        outputs = self.network(self.normalise(image))
        return {task: self._activated(task, outputs[task]) for task in self.tasks}

    def _activated(self, task: Task, output: Tensor) -> Tensor:
        entry = task_entry(task)
        if entry.activation == "linear":
            return self.heights.values(output) * (self.heights.unit / entry.metres)
        if self.activation == "softmax":
            return output.softmax(dim=1)
        return normalize(output.sigmoid(), p=1, dim=1, eps=_LEAST_SUM)  # as maps of probabilities have them


def traced(network: ExportedNetwork, contents: Contents) -> ExportedProgram:
    """Return a network's traced graph, for batches of any length, and images of any size or of ``contents.tile``."""
    bands = len(contents.description.statistics.bands)
    dynamic: dict[int, Any] = {0: Dim("batch")}
    rows = columns = contents.tile or SMALLEST * contents.multiple
    if contents.tile is None:
        columns += contents.multiple  # for a square example, torch would use one symbol for both sides
        dynamic |= {2: contents.multiple * Dim("h", min=SMALLEST), 3: contents.multiple * Dim("w", min=SMALLEST)}
    example = torch.zeros(2, bands, rows, columns)  # two images: torch would specialise a batch of one
    return torch.export.export(network, (example,), dynamic_shapes={INPUT: dynamic})
