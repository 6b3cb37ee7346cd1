"""Gradient vaccine: gradients that agree at least as much as they used to."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torchjd.aggregation import GradVacWeighting

from mtlaerial.config import Task
from mtlaerial.weighting.torchjd_adapter import buffers, restore
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions

TINY = 1e-12
"""Keeps quotients finite; the gradients have a common norm of 1."""


class GradVac(TorchJDWeighting):
    """The sum of the gradients, each turned towards every one that it agrees with less than it used to.

    Where the cosine p of g_i and g_j is below its mean q so far, ``g_i <- g_i + ||g_i|| (q sqrt(1 - p²) - p sqrt(1 -
    q²)) / (||g_j|| sqrt(1 - q²)) g_j`` makes it q; for all other j in random order. Then ``q <- (1 - beta) q + beta
    p``: Wang et al. 2021, arXiv 2010.05874, algorithm 1, published at the parameters, here for the whole trunk at once.
    All q begin at 0, so that the first update is that of ``PCGrad``. Solved by TorchJD, which takes note of every
    cosine, as published; LibMTL only of those below their mean. A task that is absent from a batch leaves its cosines
    as they are.
    """

    paper = "Wang et al. 2021"
    state = "mean cosines"

    class Options(CostlyOptions):
        """The level of the gradients, and the share of the newest cosine."""

        beta: float = Field(default=0.5, gt=0, lt=1)
        """How much the newest cosine counts in the mean; the default of LibMTL and TorchJD."""

    solve: GradVacWeighting

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._cosines = torch.zeros(len(tasks), len(tasks), dtype=torch.float64)

    def solver(self) -> GradVacWeighting:
        """Return TorchJD's rotations."""
        return GradVacWeighting(self.options.beta, TINY)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the solver's weights, and update the mean cosines of the tasks that take part."""
        pairs = active[:, None] & active
        cosines = self._cosines[pairs].view_as(gramian)
        restore(self.solve, {"_phi_t": cosines}, key=(len(gramian), gramian.dtype))
        weights = super().weights(gramian, losses, active)
        self._cosines[pairs] = buffers(self.solve)["_phi_t"].flatten()
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Return the mean cosines."""
        return {**super().state_dict(), "cosines": self._cosines.clone()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self._cosines = state["cosines"].clone()
