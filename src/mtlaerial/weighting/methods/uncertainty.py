"""Weights from the tasks' uncertainties: learned, or in closed form."""

import torch
from pydantic import PositiveFloat
from torch import Tensor

from mtlaerial.config import Section
from mtlaerial.weighting.learned_weighting import LearnedLossWeighting
from mtlaerial.weighting.loss_weighting import LossWeighting

LEAST = 1e-8
"""Losses count as no less, so that their inverses stay finite."""


class UW(LearnedLossWeighting):
    """Learned uncertainties: a task whose errors stay large counts less.

    ``sum_t (exp(-s_t) L_t + s_t) / 2`` with s the logarithms of the tasks' variances, least in s where every
    ``exp(s_t)`` is L_t: Kendall et al. 2018, arXiv 1705.07115. All s begin at 0. s is learned by the network's
    optimiser, at its rate or one of its own, and does not move for a task without truth in a batch.

    The paper has no 1/2 before the cross entropy. With its s less by log 2 that is the same sum but for a constant, so
    only the beginning differs. ``IMTLL`` is twice this for scales of -s.
    """

    paper = "Kendall et al. 2018"
    state = "a learned log-variance per task"

    def total(self, losses: Tensor) -> Tensor:
        """Return the objective; the numbers are s."""
        variances = self.numbers
        return (0.5 * torch.exp(-variances) * losses + 0.5 * variances).sum()


class UWSO(LossWeighting):
    """Soft optimal uncertainties: the limit of :class:`UW`, at once, brought to a sum of 1 by a softmax.

    ``sum_t w_t L_t`` with ``w = softmax(1 / (T L))``, held constant: Kirchdorfer et al. 2024, arXiv 2408.07985. The
    paper tunes the temperature T for each data set; 1 is no more than the plain softmax. The weights depend on the
    units of the losses: all losses times c are as T times c.
    """

    paper = "Kirchdorfer et al. 2024"

    class Options(Section):
        """How even the weights are."""

        temperature: PositiveFloat = 1.0
        """T: the higher, the more even."""

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum."""
        temperature: float = self.options.temperature
        inverse = 1 / losses.detach().clamp(min=LEAST)
        return ((inverse / temperature).softmax(dim=0) * losses).sum()
