"""The base of losses that compare areas: a loss of each class in each patch."""

from abc import abstractmethod

import torch
from torch import Tensor

from mtlaerial.config import IGNORED
from mtlaerial.sampling import Batch
from mtlaerial.training.task_loss import LossSettings, TaskLoss


class PatchLoss(TaskLoss):
    """A loss of each class in each patch, averaged over the classes that occur there, then over the patches.

    Classes count alike, whatever their weights: only the weight 0 has a meaning, a class that is never trained.
    """

    class_weights: Tensor

    def __init__(self, settings: LossSettings) -> None:
        super().__init__()
        self.register_buffer("class_weights", settings.class_weights, persistent=False)

    @abstractmethod
    def class_losses(self, probabilities: Tensor, true: Tensor, valid: Tensor) -> Tensor:
        """Return the loss of each class in each patch, shape (patches, classes).

        Parameters
        ----------
        probabilities : Tensor, shape (patches, classes, pixels)
        true : Tensor of bool, shape (patches, classes, pixels)
            The pixels of each class.
        valid : Tensor of bool, shape (patches, pixels)
            The pixels with a trained class; others have no true class, and must not count.
        """

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the sum over the patches."""
        true, valid = self._truth(batch)
        probabilities = output.softmax(dim=1).flatten(2)
        losses = self.class_losses(probabilities, true, valid)
        occurs = true.any(dim=2)
        return ((losses * occurs).sum(dim=1) / occurs.sum(dim=1).clamp(min=1)).sum()

    def amount(self, batch: Batch) -> Tensor:
        """Return the number of patches with a trained class."""
        true, _ = self._truth(batch)
        return true.flatten(1).any(dim=1).sum()

    def _truth(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the pixels of each class, (patches, classes, pixels), and those of any, (patches, pixels), as bool."""
        labels = trained_labels(batch.labels, self.class_weights).flatten(1)
        codes = torch.arange(len(self.class_weights), device=labels.device)
        return labels[:, None] == codes[:, None], labels != IGNORED


def trained_labels(labels: Tensor, class_weights: Tensor) -> Tensor:
    """Return labels with those of classes of weight 0 ignored, int64."""
    codes = labels.long()
    valid = codes != IGNORED
    return torch.where(valid & (class_weights[torch.where(valid, codes, 0)] > 0), codes, IGNORED)
