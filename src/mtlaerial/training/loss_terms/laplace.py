"""Likelihood of heights by a Laplace distribution.

Kendall & Gal, "What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?", NIPS 2017,
arXiv 1703.04977: the loss of a regression with a scale per pixel, for a Laplace distribution.
"""

import math

from torch import Tensor

from mtlaerial.models.height_heads import LaplaceHead
from mtlaerial.models.height_heads.laplace import LEAST_SCALE


def laplace_likelihood(head: LaplaceHead, output: Tensor, heights: Tensor) -> Tensor:
    """Return the negative log likelihood of each pixel, |h - m| / b + log b, less its least value, log ``LEAST_SCALE``.

    So it is at least 0, as weightings that take logarithms or products of losses need.

    Parameters
    ----------
    head : LaplaceHead
    output : Tensor, shape (patches, 2, rows, columns)
    heights : Tensor, shape (patches, rows, columns)
        True heights in units, finite.

    Returns
    -------
    Tensor, shape (patches, rows, columns)
    """
    log_scale = head.log_scale(output)
    error = (head.estimate(output) - heights).abs()
    return error * (-log_scale).exp() + log_scale - math.log(LEAST_SCALE)
