"""The geometric mean of the losses."""

from typing import Any

from torch import Tensor
from torchjd.scalarization import GeometricMean

from mtlaerial.config import Task
from mtlaerial.weighting.scalarisation import Scalarisation


class GLS(Scalarisation):
    """Geometric loss strategy: what counts of a loss is by how many per cent it falls.

    ``(prod_t L_t)^(1/n)`` over the n tasks, so that w_t is the mean over ``n L_t``: Chennupati et al. 2019, arXiv
    1904.08492. Other units of a loss change the update's length, not its direction. Computed by TorchJD.
    """

    paper = "Chennupati et al. 2019"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._mean = GeometricMean()

    def total(self, losses: Tensor) -> Tensor:
        """Return the geometric mean."""
        found: Tensor = self._mean(losses)
        return found
