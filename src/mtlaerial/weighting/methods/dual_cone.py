"""Projections onto the cone of updates along which no task's loss rises."""

from abc import abstractmethod
from typing import Any

from torch import Tensor
from torchjd.aggregation import DualProjWeighting, UPGradWeighting
from torchjd.linalg import QuadprogProjector

from mtlaerial.config import Task
from mtlaerial.weighting.gradient_weighting import GramianWeighting
from mtlaerial.weighting.torchjd_weighting import polar

TINY = 1e-6
"""Added to the squares of unit gradients: rounding may leave parallel ones with no positive definite cosines."""


class DualCone(GramianWeighting):
    """Weights of the mean gradient after a projection onto the cone ``d . g_t >= 0`` for all t."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._solve = self.solver(QuadprogProjector(norm_eps=0, reg_eps=TINY))

    @abstractmethod
    def solver(self, projector: QuadprogProjector) -> UPGradWeighting | DualProjWeighting:
        """Return TorchJD's weighting for a projector."""

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights; the cone is that of gradients of length 1, whose mean has their lengths for weights."""
        lengths, cosines = polar(gramian)
        # The mean of the gradients is the combination of unit gradients with weights of their lengths over n.
        self._solve.pref_vector = lengths / len(lengths)
        weights: Tensor = self._solve(cosines)
        return weights / lengths


class UPGrad(DualCone):
    """The mean of the gradients, each projected onto the cone of updates along which no loss rises.

    ``(1 / n) sum_t P(g_t)``: Quinton & Rey 2024, arXiv 2406.16232, published at the parameters. With two tasks it is
    half of ``PCGrad``. Solved by TorchJD with quadprog.
    """

    paper = "Quinton & Rey 2024"

    def solver(self, projector: QuadprogProjector) -> UPGradWeighting:
        """Return TorchJD's projections of each gradient."""
        return UPGradWeighting(projector=projector)


class DualProj(DualCone):
    """The mean gradient, projected onto the cone of updates along which no loss rises.

    ``P((1 / n) sum_t g_t)``: the projection of Lopez-Paz & Ranzato 2017, arXiv 1706.08840, equation 11, there of a new
    task's gradient onto the cone of the earlier ones; of the mean, as Quinton & Rey 2024, arXiv 2406.16232, compare it.
    Solved by TorchJD with quadprog.
    """

    paper = "Lopez-Paz & Ranzato 2017; Quinton & Rey 2024"

    def solver(self, projector: QuadprogProjector) -> DualProjWeighting:
        """Return TorchJD's projection of the mean."""
        return DualProjWeighting(projector=projector)
