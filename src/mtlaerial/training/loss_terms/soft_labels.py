"""Divergence of predicted bins from soft labels."""

import torch
from torch import Tensor

from mtlaerial.models.height_heads import BinsHead


def soft_label_divergence(head: BinsHead, output: Tensor, heights: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of each pixel in nat: the cross entropy less the label's own entropy.

    It is 0 where the prediction equals the label. Its gradient is that of the cross entropy of Díaz & Marathe, "Soft
    Labels for Ordinal Regression", CVPR 2019.

    Parameters
    ----------
    head : BinsHead
    output : Tensor, shape (patches, bins, rows, columns)
    heights : Tensor, shape (patches, rows, columns)
        True heights in units, finite.

    Returns
    -------
    Tensor, shape (patches, rows, columns)
    """
    labels = head.soft_labels(heights)
    return (torch.xlogy(labels, labels) - labels * output.log_softmax(dim=1)).sum(dim=1)
