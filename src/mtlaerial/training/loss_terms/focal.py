"""Focal loss: a cross entropy in which pixels that are nearly right count little.

Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv 1708.02002, equation 5, for several classes.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mtlaerial.config import IGNORED
from mtlaerial.sampling import Batch
from mtlaerial.training.cross_entropy import CrossEntropy

FOCUS = 2.0
"""The publication's γ, by which it found the best results."""


class Focal(CrossEntropy):
    """(1 - p)^γ times the cross entropy, for the probability p of the true class; weighted by class, in nat."""

    def total(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum over the pixels that have a class."""
        labels = batch.labels.long()
        entropy = cross_entropy(output, labels, ignore_index=IGNORED, reduction="none")
        missing = -torch.expm1(-entropy)  # 1 - p
        return (self.pixel_weights(batch) * missing.pow(FOCUS) * entropy).sum()
