"""The tasks' losses, masked to pixels with truth; 0 for a batch without any."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import cast

import torch
from torch import Tensor, nn

from mtlaerial.config import TASKS, Task, TaskEntry, TrainingSpec, task_entry
from mtlaerial.config.class_names import weights_by_name
from mtlaerial.errors import ConfigError
from mtlaerial.sampling import Batch
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.training.class_error import ClassError
from mtlaerial.training.cross_entropy import CrossEntropy
from mtlaerial.training.derived_error import DerivedError
from mtlaerial.training.height_error import HeightError
from mtlaerial.training.task_loss import LossSettings, TaskLoss

LOSSES: dict[str, type[TaskLoss]] = {
    "class_error": ClassError,
    "cross_entropy": CrossEntropy,
    "height_error": HeightError,
    "derived_error": DerivedError,
}
"""The package's losses by the names that entries of tasks give."""


class TaskLosses(nn.Module):
    """A loss per task, as the tasks' entries name them.

    Parameters
    ----------
    training : TrainingSpec
        Kinds of the losses, unit of the height loss, and the pixels of its mean.
    class_weights : Tensor, shape (classes,), float32
        Weights of the classes.
    zero_height : bool
        Whether heights <= 0 are trained on.
    tasks : iterable of Task
        By default the package's.
    height_weights : Tensor, optional
        As of :class:`mtlaerial.training.task_loss.LossSettings`.
    """

    def __init__(
        self,
        training: TrainingSpec,
        class_weights: Tensor,
        zero_height: bool,
        tasks: Iterable[Task] = tuple(TASKS),
        height_weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        settings = LossSettings(training, class_weights, zero_height, height_weights)
        losses = {task: loss_class(task_entry(task))(replace(settings, task=task)) for task in tasks}
        self.losses = nn.ModuleDict(losses)

    def forward(
        self, outputs: Mapping[Task, Tensor], batch: Batch, amounts: Mapping[Task, Tensor] | None = None
    ) -> dict[Task, Tensor]:
        """Return a scalar per task, in float32.

        Parameters
        ----------
        outputs : mapping of task to Tensor, shape (patches, channels, patch, patch)
        batch : Batch
            The truth of these patches.
        amounts : mapping of task to Tensor, optional
            Denominators of the means over the whole batch, for patches that are a part of it: the losses of all parts
            then add up.
        """
        amounts = amounts or self.amounts(batch, outputs)
        sums = {task: self._loss(task).total(output.float(), batch) for task, output in outputs.items()}
        return {task: (total / amounts[task].clamp(min=1e-6)).sum() for task, total in sums.items()}

    def amounts(self, batch: Batch, tasks: Iterable[Task]) -> dict[Task, Tensor]:
        """Return the denominators of the loss means, such as the number of pixels with a height."""
        return {task: self._loss(task).amount(batch).float() for task in tasks}

    def _loss(self, task: Task) -> TaskLoss:
        return cast(TaskLoss, self.losses[task])


def loss_class(entry: TaskEntry) -> type[TaskLoss]:
    """Return the class of the loss that a task's entry names.

    Raises
    ------
    ConfigError
        When there is no such loss.
    """
    if entry.loss in LOSSES:
        return LOSSES[entry.loss]
    where, remedy = f"task {entry.name}, its loss", "Correct the package that registers the task."
    expected = f"one of {', '.join(LOSSES)}, or module:Class of a TaskLoss"
    module, _, attribute = entry.loss.partition(":")
    try:
        kind = getattr(import_module(module), attribute)
    except Exception as error:  # anything may happen while another package is imported
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ConfigError(where, f"{entry.loss!r} ({problem})", expected, remedy) from None
    if not isinstance(kind, type) or not issubclass(kind, TaskLoss):
        raise ConfigError(where, f"{entry.loss!r}, which is {kind!r}", expected, remedy)
    return kind


def class_weights(training: TrainingSpec, statistics: Statistics) -> Tensor:
    """Return the weights of the classes, shape (classes,), float32, as ``training.class_weights`` says."""
    by_name = weights_by_name(training, [entry.name for entry in statistics.classes])
    if by_name is not None:
        return torch.tensor(by_name)
    pixels = torch.tensor([entry.pixels for entry in statistics.classes])
    return torch.ones(len(pixels)) if training.class_weights == "none" else median_frequency_weights(pixels)


def median_frequency_weights(pixels: Tensor) -> Tensor:
    """Return class weights: the median class frequency over each class's own; 0 for classes that do not occur.

    Parameters
    ----------
    pixels : Tensor, shape (classes,)
        Pixels per class over the training tiles.

    Notes
    -----
    Eigen & Fergus 2015, arXiv 1411.4734, section 6.3.2, with the frequency over all training pixels.

    Examples
    --------
    >>> median_frequency_weights(torch.tensor([100, 400, 0, 200]))
    tensor([2.0000, 0.5000, 0.0000, 1.0000])
    """
    present = pixels > 0
    median = pixels[present].double().quantile(0.5) if bool(present.any()) else torch.tensor(0.0)
    return torch.where(present, median / pixels.clamp(min=1), 0).float()
