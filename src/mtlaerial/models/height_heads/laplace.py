"""Head of two channels: median and scale of a Laplace distribution.

Kendall & Gal, "What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?", NIPS 2017,
arXiv 1703.04977.
"""

import math

import torch
from torch import Tensor

from mtlaerial.models.height_heads.head import HeadWithScale

LEAST_SCALE = 0.01
"""Least scale in units: without a bound, errors of 0 would have a likelihood of infinity."""


class LaplaceHead(HeadWithScale):
    """The median in units, then the logarithm of the scale."""

    def estimate(self, output: Tensor) -> Tensor:
        """Return the median in units."""
        return self._bounded(output[:, 0])

    def log_scale(self, output: Tensor) -> Tensor:
        """Return log(exp(second channel) + ``LEAST_SCALE``), shape (patches, rows, columns)."""
        least = torch.full((), math.log(LEAST_SCALE), device=output.device)
        return torch.logaddexp(output[:, 1], least)

    def variance(self, output: Tensor) -> Tensor:
        """Return the variance in square units, twice the square of the scale."""
        return 2 * (2 * self.log_scale(output)).exp().unsqueeze(1)
