"""Base of weightings whose weights TorchJD finds from the inner products of the tasks' gradients."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.torchjd_adapter import drawing_from

if TYPE_CHECKING:  # TorchJD imports cvxpy, a second that only its own methods should cost
    from torchjd.aggregation import Weighting


class TorchJDWeighting(GramianWeighting):
    """Weights that do not depend on the gradients' common scale, from a solver of TorchJD."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self.solve = self.solver()

    @abstractmethod
    def solver(self) -> "Weighting[Any]":
        """Return TorchJD's weighting, for inner products that have a trace of 1."""

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the solver's weights."""
        with drawing_from(self.step.generator):  # PCGrad and GradVac shuffle the tasks
            weights: Tensor = self.solve(gramian / gramian.trace())  # TorchJD takes small gradients for none at all
        return weights
