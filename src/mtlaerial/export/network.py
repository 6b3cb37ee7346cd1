"""A trained network from the image file's values to probabilities and metres, and its graph for any image size."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from mtlaerial.config import Task
from mtlaerial.models.batchnorm_folding import folded
from mtlaerial.models.normalisation import Normalisation
from mtlaerial.runs.run import Run, RunDescription

INPUT = "image"
"""Name of the input."""
SMALLEST = 2
"""Least rows and columns, in multiples of what the network takes: a graph traced for any size may not assume one."""


@dataclass(frozen=True)
class Contents:
    """What an exported file holds of a run."""

    description: RunDescription
    tasks: tuple[Task, ...]
    """The outputs, in their order."""
    tile: int | None = None
    """Rows and columns of the image where they are fixed; None for any multiple of what the network takes."""

    @property
    def multiple(self) -> int:
        """What rows and columns of the image are divisible by."""
        return self.description.plan.model.multiple

    @property
    def channels(self) -> dict[Task, int]:
        """Channels of each output."""
        return {task: self.description.outputs[task] for task in self.tasks}


class ExportedNetwork(nn.Module):
    """What is exported of a run: normalisation, network with batch norms folded, activation, unit of height.

    Parameters
    ----------
    run : Run
        On the CPU; left as it is.
    contents : Contents
        Of the run.
    """

    def __init__(self, run: Run, contents: Contents) -> None:
        super().__init__()
        self.normalise = Normalisation(*run.description.statistics.range)
        self.height_unit = run.description.plan.training.height_unit
        self.network = folded(run.model)
        for task in set(self.network.tasks) - set(contents.tasks):
            del self.network.heads[task]
        self.tasks = contents.tasks

    def forward(self, image: Tensor) -> dict[Task, Tensor]:
        """Return class probabilities and heights in metres.

        Parameters
        ----------
        image : Tensor, shape (batch, bands, rows, columns), float32
            In the image file's own values; NaN where there is no data.

        Returns
        -------
        dict of Task to Tensor
            ``semantics``: (batch, classes, rows, columns), sum 1 over the classes. ``height``: (batch, 1, rows,
            columns).
        """
        outputs = self.network(self.normalise(image))
        return {task: self._values(task, outputs[task]) for task in self.tasks}

    def _values(self, task: Task, output: Tensor) -> Tensor:
        return output.softmax(dim=1) if task == "semantics" else output * self.height_unit


def traced(network: ExportedNetwork, contents: Contents) -> ExportedProgram:
    """Return the graph of a network, for batches of any number of images of any size, or of ``contents.tile``."""
    bands = len(contents.description.statistics.bands)
    dynamic: dict[int, Any] = {0: Dim("batch")}
    rows = columns = contents.tile or SMALLEST * contents.multiple
    if contents.tile is None:
        columns += contents.multiple  # else one symbol would stand for both sides
        dynamic |= {2: contents.multiple * Dim("h", min=SMALLEST), 3: contents.multiple * Dim("w", min=SMALLEST)}
    example = torch.zeros(2, bands, rows, columns)
    return torch.export.export(network, (example,), dynamic_shapes={INPUT: dynamic})
