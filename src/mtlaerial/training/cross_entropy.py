"""Cross entropy, weighted by class."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED
from mtlaerial.sampling import Batch
from mtlaerial.training.task_loss import LossSettings, TaskLoss


class CrossEntropy(TaskLoss):
    """Weighted cross entropy over the pixels that have a class, in nat."""

    class_weights: Tensor

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        self.register_buffer("class_weights", settings.class_weights, persistent=False)

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum over the pixels that have a class."""
        # Torch's own sum over an image would be in another order each time on a GPU.
        weights, labels = self.class_weights, batch.labels.long()
        entropy = cross_entropy(output, labels, weights, ignore_index=IGNORED, reduction="none")
        return entropy.sum()

    def amount(self, batch: Batch) -> Tensor:
        """Return the weight of the pixels with a class."""
        valid = batch.labels != IGNORED
        return (self.class_weights[torch.where(valid, batch.labels, 0).long()] * valid).sum()
