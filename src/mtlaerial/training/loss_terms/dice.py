"""Dice loss: overlap of predicted and true areas.

Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation", 3DV 2016,
arXiv 1606.04797, section 3, with the squares of the probabilities below the line.
"""

from torch import Tensor

from mtlaerial.training.loss_terms.patch_loss import PatchLoss


class Dice(PatchLoss):
    """Dice loss of the classes in a patch, from 0 to 1."""

    def class_losses(self, probabilities: Tensor, true: Tensor, valid: Tensor) -> Tensor:
        """Return 1 - 2 Σ p t / (Σ p² + Σ t²), shape (patches, classes)."""
        counted = probabilities * valid[:, None]
        overlap = (counted * true).sum(dim=2)
        areas = counted.square().sum(dim=2) + true.sum(dim=2)
        return 1 - 2 * overlap / areas.clamp(min=1e-6)
