"""Impartial multi-task learning: losses of equal scale, learned."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchjd.scalarization import IMTLL as LossBalance

from mtlaerial.config import Task
from mtlaerial.weighting.scalarisation import Scalarisation


class IMTLL(Scalarisation):
    """Learned scales bring all losses to the same size: the loss balance of IMTL alone.

    ``sum_t (exp(s_t) L_t - s_t)``, least in s where every ``exp(s_t) L_t`` is 1: Liu et al. 2021,
    https://openreview.net/forum?id=IMPnRXEWpvr, equation 7 (there in base a, here e). All s begin at 0, the plain sum;
    the network's optimiser learns them. It is twice :class:`~mtlaerial.weighting.uncertainty.UW` for log-variances -s:
    the network's gradients double, and so do those of s. The balance by TorchJD.
    """

    paper = "Liu et al. 2021"
    cost = "none; state: a learned scale per task"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._balance = LossBalance(len(tasks))

    def total(self, losses: Tensor) -> Tensor:
        """Return the sum of the scaled losses less the logarithms of their scales."""
        found: Tensor = self._balance(losses)
        return found

    def parameters(self) -> list[nn.Parameter]:
        """Return the logarithms of the scales, shape (tasks,)."""
        return [self._balance.log_scale]

    def to(self, device: torch.device) -> None:
        """Move the scales."""
        self._balance.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return last losses and scales."""
        return {**super().state_dict(), "log_scale": self._balance.log_scale.detach().clone()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to a kept state; the scales stay the parameters that they were."""
        super().load_state_dict(state)
        self._balance.load_state_dict({"log_scale": state["log_scale"]})
