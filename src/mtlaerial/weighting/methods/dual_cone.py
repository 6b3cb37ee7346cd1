"""Projections onto the cone of updates along which no task's loss rises."""

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from mtlaerial.weighting.gradient_weighting import GramianWeighting
from mtlaerial.weighting.torchjd_weighting import polar


class UPGrad(GramianWeighting):
    """The mean of the gradients, each projected onto the cone of updates along which no loss rises.

    ``(1 / n) sum_t P(g_t)``: Quinton & Rey 2024, arXiv 2406.16232, published at the parameters. With two tasks it is
    half of ``PCGrad``.
    """

    paper = "Quinton & Rey 2024"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the sum of the weights of every gradient's projection."""
        lengths, cosines = polar(gramian)
        return project(torch.diag(lengths / len(lengths)), cosines).sum(0) / lengths


class DualProj(GramianWeighting):
    """The mean gradient, projected onto the cone of updates along which no loss rises.

    ``P((1 / n) sum_t g_t)``: the projection of Lopez-Paz & Ranzato 2017, arXiv 1706.08840, equation 11, there of a new
    task's gradient onto the cone of the earlier ones; of the mean, as Quinton & Rey 2024, arXiv 2406.16232, compare it.
    """

    paper = "Lopez-Paz & Ranzato 2017; Quinton & Rey 2024"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of the mean's projection."""
        lengths, cosines = polar(gramian)
        return project((lengths / len(lengths))[None], cosines)[0] / lengths


def project(combinations: Tensor, cosines: Tensor) -> Tensor:
    """Project combinations of unit gradients ``g_t`` onto the cone ``d . g_t >= 0`` for all t.

    The projection of weights u has those ``v >= u`` of least norm ``v' C v`` for the cosines C (Quinton & Rey 2024,
    proposition 1): ``v - u`` is a least-squares solution without negative values.

    Parameters
    ----------
    combinations : Tensor, shape (k, n), float64
        Weights of the unit gradients in each combination.
    cosines : Tensor, shape (n, n), float64
        Inner products of the unit gradients.

    Returns
    -------
    Tensor, shape (k, n), float64
        Weights of the unit gradients in each projection.
    """
    values, vectors = torch.linalg.eigh(cosines)
    root = values.clamp(min=0).sqrt()[:, None] * vectors.T  # rounding leaves parallel gradients with values below 0
    additions = [nnls(root.numpy(), -(root @ weights).numpy())[0] for weights in combinations]
    return combinations + torch.from_numpy(np.stack(additions))
