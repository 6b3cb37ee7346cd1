"""Likelihood of heights by a normal distribution.

Nix & Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", ICNN 1994.
"""

import math

from torch import Tensor

from mtlaerial.models.height_heads import GaussianHead
from mtlaerial.models.height_heads.gaussian import LEAST_DEVIATION


def gaussian_likelihood(head: GaussianHead, output: Tensor, heights: Tensor) -> Tensor:
    """Return the negative log likelihood of each pixel, less its least value.

    (h - m)^2 / (2 s^2) + log s - log ``LEAST_DEVIATION``: at least 0, as weightings that take logarithms or products of
    losses need.

    Parameters
    ----------
    head : GaussianHead
    output : Tensor, shape (patches, 2, rows, columns)
    heights : Tensor, shape (patches, rows, columns)
        True heights in units, finite.

    Returns
    -------
    Tensor, shape (patches, rows, columns)
    """
    log_variance = head.log_variance(output)
    squares = (head.estimate(output) - heights).square()
    return (squares * (-log_variance).exp() + log_variance) / 2 - math.log(LEAST_DEVIATION)
