"""What every weighting is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor


class Weighting(ABC):
    """Combines the tasks' losses into the one that is minimised."""

    @abstractmethod
    def weights(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the weight of each task's loss in this step."""

    def combine(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the losses, a scalar."""
        weights = self.weights(losses)
        first, *others = (weights[task] * loss for task, loss in losses.items())
        return sum(others, start=first)
