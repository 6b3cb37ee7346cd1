"""GradNorm: weights that are learned so that all tasks train at a similar rate."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.gramian_weighting import GramianWeighting

LEAST = 1e-3
"""Weights stay above this share of an equal weight: at 0 or below a task would be lost for ever."""
NO_EPS = 1e-150
"""Added to Adam's root mean squares in float64: nothing but 0 / 0 is prevented, whatever the gradients' size."""


class GradNorm(GramianWeighting):
    """Learns the weights w by descent on ``sum_t |w_t ||g_t|| - mean(w ||g||) r_t^alpha|``.

    r_t is the task's relative inverse training rate: its loss over its first one, divided by the tasks' mean of that.
    Chen et al. 2018, arXiv 1711.02257, algorithm 1, with the target held constant, so that slopes are ``+-||g_t||``, by
    Adam, and with the weights brought back to their sum after each update. There g is the gradient with respect to
    the last shared layer's weights; here it is that with respect to the features, since with skips no single layer is
    the last. Heads are weighted as the trunk is.

    The weight of a task without truth in a batch, and Adam's moments of it, stay as they are; the others keep their
    sum. A batch with a single task teaches nothing.
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
        # A parameter per task: Adam leaves those without a gradient as they are, moments and all.
        self._weights = [torch.ones((), dtype=torch.float64, requires_grad=True) for _ in tasks]
        self._first = torch.full((len(tasks),), torch.nan, dtype=torch.float64)
        self._optimiser = torch.optim.Adam(self._weights, lr=options.learning_rate, eps=NO_EPS)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of this step, and update those of the next."""
        current = self._current()
        # A task that was absent so far has its first loss now.
        self._first = torch.where(active & self._first.isnan(), _spread(losses, active), self._first)
        if int(active.sum()) > 1:
            progress = losses / self._first[active]
            self._learn(_spread(self._slopes(current[active], gramian.diagonal().sqrt(), progress), active), active)
            self._set(_rescaled(self._current(), current, active))
        return current[active]

    def _slopes(self, weights: Tensor, norms: Tensor, progress: Tensor) -> Tensor:
        """Return the slopes of the objective by the weights of the tasks that take part."""
        scaled = weights * norms
        target = scaled.mean() * (progress / progress.mean()) ** self.alpha
        return torch.sign(scaled - target) * norms

    def _learn(self, slopes: Tensor, active: Tensor) -> None:
        for weight, slope, takes_part in zip(self._weights, slopes, active.tolist(), strict=True):
            weight.grad = slope.clone() if takes_part else None
        self._optimiser.step()

    def _current(self) -> Tensor:
        return torch.stack([weight.detach() for weight in self._weights])

    def _set(self, weights: Tensor) -> None:
        with torch.no_grad():
            for weight, value in zip(self._weights, weights, strict=True):
                weight.copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, first losses and the optimiser's state."""
        return {
            "weights": self._current(),
            "first": self._first,
            "optimiser": deepcopy(self._optimiser.state_dict()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._set(state["weights"])
        self._first = state["first"]
        self._optimiser.load_state_dict(deepcopy(state["optimiser"]))


def _spread(values: Tensor, active: Tensor) -> Tensor:
    """Put the values of the tasks that take part in their places; 0 elsewhere."""
    return torch.zeros(len(active), dtype=values.dtype).masked_scatter(active, values)


def _rescaled(moved: Tensor, before: Tensor, active: Tensor) -> Tensor:
    """Bring the weights of the tasks that take part back to their sum before; those of the others stay."""
    positive = moved.clamp(min=LEAST)
    return torch.where(active, positive * (before[active].sum() / positive[active].sum()), before)
