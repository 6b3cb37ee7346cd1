"""The tasks' losses: masked where the truth is not known, and 0 where nothing is."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED, TrainingSpec
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

    def forward(self, outputs: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return a scalar per task, in float32.

        Parameters
        ----------
        outputs : mapping of task to Tensor, shape (batch, channels, patch, patch)
        batch : Batch
        """
        truth = {"semantics": batch.labels, "height": batch.height}
        return {task: getattr(self, task)(output.float(), truth[task]) for task, output in outputs.items()}

    def semantics(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weighted mean of the cross entropy over the pixels that have a class."""
        total = cross_entropy(logits, labels, self.class_weights, ignore_index=IGNORED, reduction="sum")
        known = labels != IGNORED
        weight = self.class_weights[torch.where(known, labels, 0)] * known
        return total / weight.sum().clamp(min=1e-6)

    def height(self, output: Tensor, height: Tensor) -> Tensor:
        """Mean error in units of ``training.height_unit``, over the pixels that ``training.height_mean`` says."""
        known = torch.isfinite(height) if self.zero_height else height > 0
        error = self.height_error(output[:, 0], torch.where(known, height, 0) / self.unit)
        return (error * known).sum() / (known.numel() if self.over_all else known.sum().clamp(min=1))


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
