"""CAGrad: the mean gradient, turned towards the task that gains least."""

from pydantic import Field
from torchjd.aggregation import CAGradWeighting

from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions

TINY = 1e-9
"""Of norms: TorchJD's 1e-4 takes a small gradient beside a large one for a Pareto point, and stops."""


class CAGrad(TorchJDWeighting):
    """The update near the mean gradient that lowers the loss which falls least by as much as can be.

    ``max_d min_t g_t . d`` with ``||d - g_0|| <= c ||g_0||`` and g_0 the mean gradient, which is ``d = g_0 + c ||g_0||
    / ||g_w|| g_w`` for the convex combination g_w with the least ``g_w . g_0 + c ||g_0|| ||g_w||``: Liu et al. 2021,
    arXiv 2110.14048, algorithm 1, published at the parameters. Solved by TorchJD with Clarabel. The update is the
    published one; the authors' code divides it by 1 + c² besides, as LibMTL does.
    """

    paper = "Liu et al. 2021"
    cost = "of its level; some ms on the CPU"

    class Options(CostlyOptions):
        """The level of the gradients, and the largest distance of the update from their mean."""

        c: float = Field(default=0.4, ge=0, lt=1)
        """In norms of the mean; the authors' runs on street scenes and rooms have 0.4."""

    def solver(self) -> CAGradWeighting:
        """Return TorchJD's minimisation."""
        return CAGradWeighting(self.options.c, TINY)
