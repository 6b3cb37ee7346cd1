"""Lovász-Softmax: a convex surrogate of the Jaccard index (IoU).

Berman, Rannen Triki & Blaschko, "The Lovász-Softmax Loss: A Tractable Surrogate for the Optimization of the
Intersection-Over-Union Measure in Neural Networks", CVPR 2018, arXiv 1705.08790, with its algorithm 1; per image, and
over the classes that occur.
"""

import torch
from torch import Tensor

from mtlaerial.training.loss_terms.patch_loss import PatchLoss


class Lovasz(PatchLoss):
    """Lovász-Softmax of the classes in a patch, from 0 to 1."""

    def class_losses(self, probabilities: Tensor, true: Tensor, valid: Tensor) -> Tensor:
        """Return the Lovász extension of 1 - IoU at the pixels' errors, shape (patches, classes)."""
        errors = (true.to(probabilities.dtype) - probabilities).abs()
        # Behind all errors of valid pixels, which are at least 0, others change nothing.
        ranked = errors.detach().masked_fill(~valid[:, None], -1)
        order = ranked.argsort(dim=2, descending=True, stable=True)
        slopes = torch.zeros_like(ranked).scatter(2, order, _jaccard_slopes(true.gather(2, order), ranked.dtype))
        return (errors * slopes * valid[:, None]).sum(dim=2)


def _jaccard_slopes(true: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the growth of 1 - IoU as each pixel in turn becomes an error, for pixels by falling error."""
    hits = true.long().cumsum(dim=2)  # whole numbers: torch sums floats on a GPU in no fixed order
    misses = (~true).long().cumsum(dim=2)
    positives = hits[..., -1:]
    jaccard = 1 - (positives - hits).to(dtype) / (positives + misses).clamp(min=1).to(dtype)
    return jaccard.diff(dim=2, prepend=torch.zeros_like(jaccard[..., :1]))
