"""Aligned-MTL: gradients that are made orthogonal and equally long."""

from typing import Literal

from torch import Tensor
from torchjd.aggregation import AlignedMTLWeighting

from mtlaerial.config import Section
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting


class AlignedMTL(TorchJDWeighting):
    """The sum of the nearest gradients that are orthogonal and equally long.

    ``w = scale V diag(1 / s) V' 1`` for the inner products ``V diag(s²) V'``, so that all singular values s become the
    scale; directions without a gradient are left out: Senushkin et al. 2023, arXiv 2305.19000, algorithm 1 (Aligned-MTL
    at the parameters; Aligned-MTL-UB at the features), all preferences 1 as in the authors' code and LibMTL. A loss may
    rise: the update agrees with the orthogonal gradients, not with the tasks' own. Solved by TorchJD, whose preferences
    are 1 / n.
    """

    paper = "Senushkin et al. 2023"

    class Options(Section):
        """The level of the gradients, and their new length."""

        level: Level = "parameters"
        scale: Literal["min", "median", "rmse"] = "min"
        """The least singular value, the lower median (the same with two tasks), or the root of their mean square."""

    def solver(self) -> AlignedMTLWeighting:
        """Return TorchJD's alignment."""
        return AlignedMTLWeighting(scale_mode=self.options.scale)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of a sum, not of a mean."""
        # TorchJD's preferences are 1 / n.
        return len(gramian) * super().weights(gramian, losses, active)
