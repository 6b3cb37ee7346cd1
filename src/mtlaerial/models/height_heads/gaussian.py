"""Head of two channels: mean and variance of a normal distribution.

Nix & Weigend, "Estimating the Mean and Variance of the Target Probability Distribution", ICNN 1994; Kendall & Gal,
"What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?", NIPS 2017, arXiv 1703.04977.
"""

import math

import torch
from torch import Tensor

from mtlaerial.models.height_heads.head import HeadWithScale

LEAST_DEVIATION = 0.01
"""Square root in units of the least variance: without a bound, errors of 0 would have a likelihood of infinity."""


class GaussianHead(HeadWithScale):
    """The mean in units, then the logarithm of the variance."""

    def estimate(self, output: Tensor) -> Tensor:
        """Return the mean in units."""
        return self._bounded(output[:, 0])

    def log_variance(self, output: Tensor) -> Tensor:
        """Return log(exp(second channel) + ``LEAST_DEVIATION`` ** 2), shape (patches, rows, columns)."""
        least = torch.full((), 2 * math.log(LEAST_DEVIATION), device=output.device)
        return torch.logaddexp(output[:, 1], least)

    def variance(self, output: Tensor) -> Tensor:
        """Return the variance in square units."""
        return self.log_variance(output).exp().unsqueeze(1)
