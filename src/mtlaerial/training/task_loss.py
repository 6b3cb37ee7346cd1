"""The interface of a task's loss, which the task's entry names."""

from dataclasses import dataclass

from torch import Tensor, nn

from mtlaerial.config import Task, TrainingSpec
from mtlaerial.sampling import Batch


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
    height_weights : Tensor, shape (bins,), float32, or None
        Weights of heights by the bins of :data:`mtlaerial.tiles.statistics.HEIGHT_EDGES`; None where all count alike.
    task : Task
        The task that the loss is of.
    """

    training: TrainingSpec
    class_weights: Tensor
    zero_height: bool
    height_weights: Tensor | None = None
    task: Task = ""


class TaskLoss(nn.Module):
    """A masked loss as a quotient, so that the parts of a batch add up: a sum over pixels, and an amount of them.

    It is built from :class:`LossSettings`. Both parts are 0 for a batch without truth. A loss of several terms returns
    a vector of sums and one of amounts; the loss is the sum of their quotients.
    """

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the errors over the pixels with truth, a scalar or a vector of terms, with gradient.

        Parameters
        ----------
        output : Tensor, shape (patches, channels, patch, patch), float32
            The network's output for the task.
        batch : Batch
            The truth of these patches.
        """
        raise NotImplementedError

    def amount(self, batch: Batch) -> Tensor:
        """Return the denominator of the mean, in the shape of the sum."""
        raise NotImplementedError
