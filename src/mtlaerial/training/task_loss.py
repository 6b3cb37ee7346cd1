"""The loss of one task: its interface, and how it is found by the name in the task's entry."""

from dataclasses import dataclass
from importlib import import_module

from torch import Tensor, nn

from mtlaerial.config import TaskEntry, TrainingSpec
from mtlaerial.errors import ConfigError
from mtlaerial.sampling import Batch

LOSSES: dict[str, str] = {
    "cross_entropy": "mtlaerial.training.cross_entropy:CrossEntropy",
    "height_error": "mtlaerial.training.height_error:HeightError",
}
"""Modules and classes of the package's losses by name."""


@dataclass(frozen=True)
class LossSettings:
    """What losses are built from.

    Attributes
    ----------
    training : TrainingSpec
        The recipe.
    class_weights : Tensor, shape (classes,), float32
        Weights of the classes.
    zero_height : bool
        Whether heights <= 0 are trained on.
    """

    training: TrainingSpec
    class_weights: Tensor
    zero_height: bool


class TaskLoss(nn.Module):
    """A masked loss as a quotient, so that the parts of a batch add up: a sum over pixels, and an amount of them.

    It is built from :class:`LossSettings`. Both parts are 0 for a batch without truth.
    """

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the errors over the pixels with truth, a scalar with gradient.

        Parameters
        ----------
        output : Tensor, shape (patches, channels, patch, patch), float32
            The network's output for the task.
        batch : Batch
            The truth of these patches.
        """
        raise NotImplementedError

    def amount(self, batch: Batch) -> Tensor:
        """Return the denominator of the mean, a scalar."""
        raise NotImplementedError


def build_loss(entry: TaskEntry, settings: LossSettings) -> TaskLoss:
    """Return the loss that a task's entry names.

    Raises
    ------
    ConfigError
        When there is no such loss.
    """
    target = LOSSES.get(entry.loss, entry.loss)
    module, _, attribute = target.partition(":")
    expected, remedy = f"one of {', '.join(LOSSES)}, or module:Class of a TaskLoss", "Correct the task's package."
    try:
        kind = getattr(import_module(module), attribute)
    except Exception as error:  # anything may happen while another package is imported
        content = f"{entry.loss!r}, with {type(error).__name__}: {error}"
        raise ConfigError(f"task {entry.name}, its loss", content, expected, remedy) from None
    if not isinstance(kind, type) or not issubclass(kind, TaskLoss):
        raise ConfigError(f"task {entry.name}, its loss", repr(entry.loss), expected, remedy)
    return kind(settings)
