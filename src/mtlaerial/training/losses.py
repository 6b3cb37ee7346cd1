"""The tasks' losses, masked to pixels with truth; 0 for a batch without any."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED, Task, TrainingSpec
from mtlaerial.config.class_names import weights_by_name
from mtlaerial.sampling import Batch
from mtlaerial.tiles.statistics import Statistics

HeightError = Callable[[Tensor, Tensor], Tensor]
_HEIGHT_ERRORS: dict[str, HeightError] = {
    "l1": lambda predicted, true: (predicted - true).abs(),
    "huber": lambda predicted, true: nn.functional.smooth_l1_loss(predicted, true, reduction="none"),
}


class TaskLosses(nn.Module):
    """A loss per task that the network has an output for.

    Parameters
    ----------
    training : TrainingSpec
        Kind and unit of the height loss, and the pixels of its mean.
    class_weights : Tensor, shape (classes,), float32
        Weights of the cross entropy.
    zero_height : bool
        Whether heights <= 0 are trained on.
    """

    class_weights: Tensor

    def __init__(self, training: TrainingSpec, class_weights: Tensor, zero_height: bool) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.unit = training.height_unit
        self.zero_height = zero_height
        self.height_error = _HEIGHT_ERRORS[training.height_loss]
        self.over_all = training.height_mean == "all"

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
        sums = {task: getattr(self, task)(output.float(), batch) for task, output in outputs.items()}
        return {task: total / amounts[task].clamp(min=1e-6) for task, total in sums.items()}

    def amounts(self, batch: Batch, tasks: Iterable[Task]) -> dict[Task, Tensor]:
        """Return the denominators of the loss means: the weight of the pixels with a class, the pixels with height."""
        return {task: getattr(self, f"_{task}_amount")(batch).float() for task in tasks}

    def _semantics_amount(self, batch: Batch) -> Tensor:
        valid = batch.labels != IGNORED
        return (self.class_weights[torch.where(valid, batch.labels, 0).long()] * valid).sum()

    def _height_amount(self, batch: Batch) -> Tensor:
        valid = self._valid(batch.height)
        return torch.full((), valid.numel(), device=valid.device) if self.over_all else valid.sum()

    def semantics(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum of the cross entropy over the pixels that have a class."""
        # Torch's own sum over an image would be in another order each time on a GPU.
        entropy = cross_entropy(logits, batch.labels.long(), self.class_weights, ignore_index=IGNORED, reduction="none")
        return entropy.sum()

    def height(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum of the errors over the pixels that are trained on, in units of ``training.height_unit``."""
        valid = self._valid(batch.height)
        # Invalid heights are replaced before the loss: NaN times 0 would still be NaN in the gradient.
        error = self.height_error(output[:, 0], torch.where(valid, batch.height, 0) / self.unit)
        return (error * valid).sum()

    def _valid(self, height: Tensor) -> Tensor:
        return torch.isfinite(height) if self.zero_height else height > 0


def class_weights(training: TrainingSpec, statistics: Statistics) -> Tensor:
    """Return the weights of the cross entropy, shape (classes,), float32, as ``training.class_weights`` says."""
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
