"""Shares of classes, which add up to 1, of class scores, and their entropy."""

import math

import torch
from torch import Tensor

TINY = 1e-30
"""Least sum of scores that is divided by: scores that are all 0 have shares of 0."""


def class_shares(scores: Tensor, axis: int) -> Tensor:
    """Return class scores divided by their sum over the axis of classes, which changes those of a softmax by rounding.

    Examples
    --------
    >>> class_shares(torch.tensor([0.5, 0.25, 0.25, 1.0]), axis=0).tolist()
    [0.25, 0.125, 0.125, 0.5]
    """
    return scores / scores.sum(dim=axis, keepdim=True).clamp(min=TINY)


def entropy_bits(shares: Tensor, axis: int) -> Tensor:
    """Return the entropy in bits of shares along an axis, which is kept with a length of 1.

    Examples
    --------
    >>> entropy_bits(torch.tensor([0.25, 0.25, 0.5, 0.0]), axis=0).tolist()
    [1.5]
    """
    nats: Tensor = torch.special.entr(shares).sum(dim=axis, keepdim=True)
    return nats / math.log(2)
