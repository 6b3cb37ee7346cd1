"""Cross entropy, weighted by class."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED
from mtlaerial.sampling import Batch
from mtlaerial.training.task_loss import LossSettings, TaskLoss


class CrossEntropy(TaskLoss):
    """Weighted cross entropy over the pixels that have a class, in nat.

    Labels are smoothed by ``training.label_smoothing``: Szegedy et al., "Rethinking the Inception Architecture for
    Computer Vision", CVPR 2016, arXiv 1512.00567, section 7; here as torch weighs the classes.
    """

    class_weights: Tensor

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        self.smoothing = settings.training.label_smoothing
        self.register_buffer("class_weights", settings.class_weights, persistent=False)

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum over the pixels that have a class."""
        # Torch's own sum over an image would be in another order each time on a GPU.
        weights, labels = self.class_weights, batch.labels.long()
        if self.smoothing:
            # Smoothed labels of a class of weight 0 would still have a share of the other classes.
            labels = torch.where(self.pixel_weights(batch) > 0, labels, IGNORED)
        entropy = cross_entropy(
            output, labels, weights, ignore_index=IGNORED, reduction="none", label_smoothing=self.smoothing
        )
        return entropy.sum()

    def amount(self, batch: Batch) -> Tensor:
        """Return the weight of the pixels with a class."""
        return self.pixel_weights(batch).sum()

    def pixel_weights(self, batch: Batch) -> Tensor:
        """Return the weight of each pixel's class, 0 without one."""
        valid = batch.labels != IGNORED
        return self.class_weights[torch.where(valid, batch.labels, 0).long()] * valid
