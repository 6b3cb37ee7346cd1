"""Projections onto the cone of updates along which no task's loss rises."""

from typing import Any, ClassVar

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.cosine_balance import polar
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.task_values import PreferenceOptions, preference_shares
from mtlaerial.weighting.weight_reuse import CostlyOptions


class DualCone(GramianWeighting):
    """Weights from projections of gradients onto the cone, in the proportions of the tasks' preferences."""

    name: ClassVar[str]

    class Options(CostlyOptions, PreferenceOptions):
        """The level of the gradients, the tasks' preferences, and how often weights are computed."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._shares = preference_shares(options.preferences, tasks, self.name)

    def shares(self, active: Tensor) -> Tensor:
        """Return the shares of the tasks that take part in their preferences, which add up to 1."""
        shares = self._shares[active]
        return shares / shares.sum()


class UPGrad(DualCone):
    """The mean of the gradients, each projected onto the cone of updates along which no loss rises.

    ``sum_t p_t P(g_t)`` with the shares p of the tasks in the preferences, by default 1 / n: Quinton & Rey 2024, arXiv
    2406.16232, published at the parameters. With two tasks and equal preferences it is half of ``PCGrad``.
    """

    paper = "Quinton & Rey 2024"
    name = "upgrad"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the sum of the weights of every gradient's projection."""
        lengths, cosines = polar(gramian)
        return project(torch.diag(lengths * self.shares(active)), cosines).sum(0) / lengths


class DualProj(DualCone):
    """The mean gradient, projected onto the cone of updates along which no loss rises.

    ``P(sum_t p_t g_t)`` with the shares p of the tasks in the preferences, by default 1 / n: the projection of
    Lopez-Paz & Ranzato 2017, arXiv 1706.08840, equation 11, there of a new task's gradient onto the cone of the earlier
    ones; of the mean, as Quinton & Rey 2024, arXiv 2406.16232, compare it.
    """

    paper = "Lopez-Paz & Ranzato 2017; Quinton & Rey 2024"
    name = "dualproj"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of the mean's projection."""
        lengths, cosines = polar(gramian)
        return project((lengths * self.shares(active))[None], cosines)[0] / lengths


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
