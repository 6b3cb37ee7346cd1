"""Impartial multi-task learning: losses of equal scale, gradients of equal projections, and both."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mtlaerial.config import Section, Task
from mtlaerial.weighting.cosine_balance import balanced, polar
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.learned_weighting import LearnedLossWeighting

LEAST = 1e-12
"""Of the sum of the weights against their magnitudes: with a smaller one no weights add up to 1."""


class IMTLL(LearnedLossWeighting):
    """Learned scales bring all losses to the same size: the loss balance of IMTL alone.

    ``sum_t (exp(s_t) L_t - s_t)``, which is least in s where every ``exp(s_t) L_t`` is 1: Liu et al. 2021,
    https://openreview.net/forum?id=IMPnRXEWpvr. All s begin at 0, as the plain sum. s is learned by the network's
    optimiser, at its rate or one of its own, and does not move for a task without truth in a batch.

    It is twice ``UW`` for log-variances of -s, so that the two have the same
    optimum and differ in where they begin and in the size of their gradients.
    """

    paper = "Liu et al. 2021"
    state = "a learned scale per task"

    def total(self, losses: Tensor) -> Tensor:
        """Return the objective; the numbers are s."""
        scales = self.numbers
        return (torch.exp(scales) * losses - scales).sum()


class IMTLG(GramianWeighting):
    """The combination of the gradients with the same projection on each of them: the gradient balance of IMTL alone.

    ``sum_t w_t g_t . (u_s - u_r) = 0`` for all tasks s, r with u their directions, and ``sum_t w_t = 1``: Liu et al.
    2021, https://openreview.net/forum?id=IMPnRXEWpvr, equations 5 and 6, published at the features. With two tasks it
    halves the angle between their gradients, with weights in proportion to the other's norm, whatever the angle; only
    the length differs from ``NashMTL`` and ``ConFIG``. Weights may be negative with more. So may then be their sum
    where norms lie far apart, and with a sum of 1, as published, the update raises all losses: with 3 % of random
    triples in six dimensions, of norms up to 1000 times apart. ``ConFIG`` has the opposite direction there, and lowers
    them. Where gradients depend on each other, their limit is taken; three tasks of which two are parallel have none,
    and take the shortest solution.
    """

    paper = "Liu et al. 2021"

    class Options(Section):
        """Published at the features."""

        level: Level = "features"

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of equal projections, brought to a sum of 1; none where they have no such sum."""
        lengths, cosines = polar(gramian)
        weights = balanced(cosines, torch.ones_like(lengths)) / lengths
        total = weights.sum()
        return weights / total if abs(total) > LEAST * weights.abs().sum() else torch.zeros_like(weights)


class IMTL(IMTLG):
    """Impartial multi-task learning: :class:`IMTLG` in the trunk, of losses that :class:`IMTLL` scales.

    The trunk follows ``sum_t w_t exp(s_t) g_t`` with the weights w for the gradients of the scaled losses, and each
    head its own scaled loss; s is learned as in IMTL-L: Liu et al. 2021, https://openreview.net/forum?id=IMPnRXEWpvr,
    algorithm 1. All s begin at 0: until the optimiser moves them, the update is that of IMTL-G.
    """

    state = "a scale per task"

    class Options(LearnedLossWeighting.Options):
        """The level of the gradients, published at the features, and how fast the scales are learned."""

        level: Level = "features"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._balance = IMTLL(tasks, IMTLL.Options(learning_rate=options.learning_rate))

    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights of the unscaled gradients."""
        scales = self._balance.slopes(losses).cpu().double()
        # The scaled gradients exp(s_t) g_t have the inner products exp(s_t) exp(s_u) g_t . g_u.
        return scales * super().decide(table.cpu() * torch.outer(scales, scales), losses, factor)

    def head_weights(self, weights: Tensor, losses: Tensor) -> Tensor:
        """Return the scales: the slopes of the loss balance."""
        return self._balance.slopes(losses)

    def finish(self) -> Tensor:
        """Set the gradients of the scales besides."""
        weights = super().finish()
        self._balance.note(self.step.gradients_are_finite())
        self._balance.learn(self.step)
        return weights

    def parameters(self) -> list[nn.Parameter]:
        """Return the logarithms of the scales, a parameter per task."""
        return self._balance.parameters()

    @property
    def learning_rate(self) -> float | None:
        """Learning rate of the scales."""
        return self._balance.learning_rate

    def moving(self) -> Tensor | None:
        """Return which of the scales may move: those of tasks with truth."""
        return self._balance.moving()

    def to(self, device: torch.device) -> None:
        """Move the scales."""
        self._balance.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of IMTL-L."""
        return self._balance.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state in place: the optimiser holds the scales."""
        self._balance.load_state_dict(state)
