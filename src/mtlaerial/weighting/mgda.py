"""The multiple-gradient descent algorithm, at the trunk's parameters or at its features."""

from typing import Literal

from torch import Tensor
from torchjd.aggregation import MGDAWeighting

from mtlaerial.weighting.gradients import GradientWeighting


class MGDA(GradientWeighting):
    """The convex combination of the tasks' gradients that has the least norm: no task's loss rises along it.

    Désidéri 2012, doi 10.1016/j.crma.2012.03.014; Sener & Koltun 2018, arXiv 1810.04650, equation 3 (``mgda``, at the
    trunk's parameters) and equation 6 (``mgda_ub``, its upper bound at the features). Solved by TorchJD's Frank-Wolfe.

    ``mgda`` costs a backward pass of the trunk per task, and their gradients in memory; ``mgda_ub`` one in all.

    Parameters
    ----------
    level : "parameters" or "features"
    """

    def __init__(self, level: Literal["features", "parameters"]) -> None:
        self.level = level
        self._solve = MGDAWeighting()

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return weights that add up to 1."""
        found: Tensor = self._solve(gramian / gramian.diagonal().max())

        return found
