"""FairGrad: the update that shares the decrease of the losses fairly among the tasks."""

from typing import Any

from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor
from torchjd.aggregation import FairGradWeighting

from mtlaerial.config import Task
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions


class FairGrad(GramianWeighting):
    """The direction with the greatest alpha-fair sum of the rates at which the losses fall.

    ``max_d sum_t (g_t . d)^(1 - alpha) / (1 - alpha)`` in a ball is ``d = sum_t w_t g_t`` with ``G w = w^(-1 / alpha)``
    element by element, G the inner products: Ban & Ji 2024, arXiv 2402.15638, equation 4, published at the parameters.
    For alpha = 1 it is ``NashMTL``. Solved by TorchJD's least squares. Like the authors' code it then shortens the
    update to ``max_norm`` (which LibMTL does not; they multiply by the number of tasks before).
    """

    paper = "Ban & Ji 2024"
    cost = "of its level; some ms on the CPU"

    class Options(CostlyOptions):
        """The level of the gradients, the fairness, and the largest length of the update."""

        alpha: PositiveFloat = 2.0
        """1 is proportional fairness, large values come near to max-min fairness; the authors' run on images has 2."""
        max_norm: NonNegativeFloat = 1.0
        """Greatest norm of the trunk's gradient, or of the features' at that level; 0 for none."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._solve = FairGradWeighting(self.fairness())

    def fairness(self) -> float:
        """Return alpha."""
        alpha: float = self.options.alpha
        return alpha

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the solution, made shorter where the update is too long."""
        weights = self._solution(gramian)
        norm, most = (weights @ gramian @ weights).sqrt(), self.options.max_norm
        return weights * (most / norm) if 0 < most < norm else weights

    def _solution(self, gramian: Tensor) -> Tensor:
        """Solve for ``w = s v`` with such s that the system for v has ones on its diagonal.

        Least squares stop too early where gradients are small or differ in size.
        """
        alpha, squares = self.fairness(), gramian.diagonal()
        # G w = w^(-1/alpha) with w = s v becomes s^(1/alpha) G s v = v^(-1/alpha), whose matrix has a diagonal of 1.
        scales = squares ** (-alpha / (1 + alpha))
        solution: Tensor = self._solve(scales[:, None] ** (1 / alpha) * gramian * scales)
        return scales * solution
