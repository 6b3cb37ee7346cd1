"""Weights that are computed in one of several updates, and reused in the others."""

from collections.abc import Mapping
from typing import Any

from pydantic import PositiveInt
from torch import Tensor

from mtlaerial.config import Section
from mtlaerial.weighting.gradient_weighting import Level


class CostlyOptions(Section):
    """The level of the gradients, and how often weights are computed."""

    level: Level = "parameters"
    every: PositiveInt = 1
    """Updates for which weights are used: the tasks' gradients are kept apart in the first of them, the others run one
    backward pass of the trunk, like a plain sum. 1: each has its own. (Navon et al. 2022 save time so.)"""


class WeightReuse:
    """The last weights, and the number of updates that have used them.

    Parameters
    ----------
    every : int
        Updates for which weights are used.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._weights: Tensor | None = None
        self._uses = 0

    def weights(self) -> Tensor | None:
        """Return the weights of the next update, shape (tasks,); None where they have to be computed."""
        return self._weights if 0 < self._uses < self.every else None

    def take(self, weights: Tensor) -> None:
        """Take the weights that were computed in this update, shape (tasks,)."""
        if self.every > 1:
            self._weights, self._uses = weights, 1

    def count(self) -> None:
        """Count an update that reused the weights."""
        self._uses += 1

    def state_dict(self) -> dict[str, Any]:
        """Return weights and their number of uses; nothing before the first ones."""
        return {} if self._weights is None else {"reused": {"weights": self._weights, "uses": self._uses}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        reused = state.get("reused", {"weights": None, "uses": 0})
        self._weights, self._uses = reused["weights"], reused["uses"]
