"""PCGrad: gradients with their conflicting components projected out."""

from torchjd.aggregation import PCGradWeighting

from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions


class PCGrad(TorchJDWeighting):
    """The sum of the gradients, each projected onto the normal plane of every one that it conflicts with.

    ``g_i <- g_i - (g_i . g_j) / ||g_j||² g_j`` where ``g_i . g_j < 0``, for all other j in random order: Yu et al.
    2020, arXiv 2001.06782, algorithm 1, published at the parameters. With two tasks nothing is left to the order, no
    loss rises, and the update is twice that of ``UPGrad``. Solved by TorchJD.
    """

    paper = "Yu et al. 2020"

    class Options(CostlyOptions):
        """The level of the gradients, and how often weights are computed."""

    def solver(self) -> PCGradWeighting:
        """Return TorchJD's projections."""
        return PCGradWeighting()
