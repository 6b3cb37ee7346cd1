"""The tasks' losses: masked where the truth is not known, and 0 where nothing is."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED, Task, TrainingSpec
from mtlaerial.sampling import Batch

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
        Kind and unit of the height loss, and what it is averaged over.
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
            What the means are over, where the patches are a part of a batch: the losses of all parts then add up.
        """
        amounts = amounts or self.amounts(batch, outputs)
        sums = {task: getattr(self, task)(output.float(), batch) for task, output in outputs.items()}
        return {task: total / amounts[task].clamp(min=1e-6) for task, total in sums.items()}

    def amounts(self, batch: Batch, tasks: Iterable[Task]) -> dict[Task, Tensor]:
        """Return over how much each loss is averaged: the weight of the pixels with a class, and pixels of height."""
        return {task: getattr(self, f"_{task}_amount")(batch).float() for task in tasks}

    def _semantics_amount(self, batch: Batch) -> Tensor:
        known = batch.labels != IGNORED
        return (self.class_weights[torch.where(known, batch.labels, 0).long()] * known).sum()

    def _height_amount(self, batch: Batch) -> Tensor:
        known = self._known(batch.height)
        return torch.full((), known.numel(), device=known.device) if self.over_all else known.sum()

    def semantics(self, logits: Tensor, batch: Batch) -> Tensor:
        """Weighted sum of the cross entropy over the pixels that have a class."""
        # Torch's own sum over an image would be in another order each time on a GPU.
        entropy = cross_entropy(logits, batch.labels.long(), self.class_weights, ignore_index=IGNORED, reduction="none")
        return entropy.sum()

    def height(self, output: Tensor, batch: Batch) -> Tensor:
        """Sum of the errors in units of ``training.height_unit``, over the pixels that are trained on."""
        known = self._known(batch.height)
        error = self.height_error(output[:, 0], torch.where(known, batch.height, 0) / self.unit)
        return (error * known).sum()

    def _known(self, height: Tensor) -> Tensor:
        return torch.isfinite(height) if self.zero_height else height > 0


def median_frequency_weights(pixels: Tensor) -> Tensor:
    """Return class weights: the median class frequency over each class's own; 0 for classes that do not occur.

    Parameters
    ----------
    pixels : Tensor, shape (classes,)
        Pixels per class over the training tiles.

    Notes
    -----
    Eigen & Fergus 2015, arXiv 1411.4734, section 6.3.2, with the frequency over all training pixels.
    """
    present = pixels > 0
    median = pixels[present].double().quantile(0.5) if bool(present.any()) else torch.tensor(0.0)
    return torch.where(present, median / pixels.clamp(min=1), 0).float()
