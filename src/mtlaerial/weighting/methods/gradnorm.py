"""GradNorm: weights that are learned so that all tasks train at a similar rate."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import GramianWeighting, Level

LEAST = 1e-3
"""Weights stay above this share of an equal weight: at 0 or below a task would be lost for ever."""


class GradNorm(GramianWeighting):
    """Learns the weights w by descent on ``sum_t |w_t ||g_t|| - mean(w ||g||) r_t^alpha|``.

    r_t is the task's relative inverse training rate: its loss over its first one, divided by the tasks' mean of that.
    Chen et al. 2018, arXiv 1711.02257, algorithm 1, with the target held constant and the weights brought back to their
    sum after each update. There g is the gradient with respect to the last shared layer's weights; here it is that with
    respect to the features, since with skips no single layer is the last. Heads are weighted as the trunk is.

    """

    paper = "Chen et al. 2018"
    state = "weights, first losses, Adam's moments"
    weighs_heads = True

    class Options(Section):
        """How much is favoured, and how fast."""

        level: Level = "features"
        alpha: NonNegativeFloat = 1.5
        """How strongly slow tasks are favoured; 0 asks for equal norms."""
        learning_rate: PositiveFloat = 0.025
        """Of the weights."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self.alpha = options.alpha
        self._weights = torch.ones(len(tasks), dtype=torch.float64, requires_grad=True)
        self._first = torch.full((len(tasks),), torch.nan, dtype=torch.float64)
        self._optimiser = torch.optim.Adam([self._weights], lr=options.learning_rate)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of this step, and update those of the next."""
        current = self._weights.detach()[active].clone()
        # A task that was absent so far has its first loss now.
        self._first = torch.where(active & self._first.isnan(), _spread(losses, active), self._first)
        self._update(gramian.diagonal().sqrt(), losses / self._first[active], active)
        return current

    def _update(self, norms: Tensor, progress: Tensor, active: Tensor) -> None:
        scaled = self._weights.detach()[active] * norms
        target = scaled.mean() * (progress / progress.mean()) ** self.alpha
        # Relative to the mean norm: Adam's steps do not depend on that scale, and 16-bit training scales gradients.
        slope = torch.sign(scaled - target) * norms / norms.mean()
        self._weights.grad = _spread(slope, active)
        self._optimiser.step()
        with torch.no_grad():
            self._weights.clamp_(min=LEAST)
            self._weights *= len(self._weights) / self._weights.sum()

    def state_dict(self) -> dict[str, Any]:
        """Return weights, first losses and the optimiser's state."""
        return {
            "weights": self._weights.detach().clone(),
            "first": self._first,
            "optimiser": deepcopy(self._optimiser.state_dict()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        with torch.no_grad():
            self._weights.copy_(state["weights"])
        self._first = state["first"]
        self._optimiser.load_state_dict(deepcopy(state["optimiser"]))


def _spread(values: Tensor, active: Tensor) -> Tensor:
    """Put the values of the tasks that take part in their places; 0 elsewhere."""
    return torch.zeros(len(active), dtype=values.dtype).masked_scatter(active, values)
