"""Fast adaptive multi-task optimisation: all losses fall at the same rate."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
import torchjd.scalarization
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.torchjd_adapter import set_famo_optimiser


class FAMO(LossWeighting):
    """Learns from how much each loss fell in the last update, so that in the end all fall by the same share.

    ``c sum_t z_t log L_t`` with ``z = softmax(x)`` and ``c = 1 / sum_t (z_t / L_t)`` held constant, so that ``w_t = c
    z_t / L_t`` add up to 1. After each update Adam, with weight decay gamma, moves x against the slopes of
    ``sum_t z_t (log L_t - log L'_t)`` with L' the losses of the same batch now: Liu et al. 2023, arXiv 2306.03792,
    algorithm 2. Computed by TorchJD.

    A batch in which a task is without truth, or a loss is not finite, teaches nothing. The default gamma is the
    paper's; the authors' experiments have 0.001 and 0.01. Their code also clips the norm of the trunk's gradient at 1,
    which is left to the optimiser here.
    """

    paper = "Liu et al. 2023"
    cost = "1 forward pass after the update"
    state = "a logit per task, Adam's moments"
    looks_again = True

    class Options(Section):
        """How fast the logits are learned."""

        learning_rate: PositiveFloat = 0.025
        """Of the logits."""
        gamma: NonNegativeFloat = 1e-3
        """Draws the logits towards 0, that is towards equal shares of the logarithms."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        rate, gamma = options.learning_rate, options.gamma
        self.module = torchjd.scalarization.FAMO(len(tasks), lr=rate, weight_decay=gamma)
        self._optimiser = torch.optim.Adam(self.module.parameters(), lr=rate, weight_decay=gamma)
        set_famo_optimiser(self.module, self._optimiser)

    def total(self, losses: Tensor) -> Tensor:
        """Return the objective; TorchJD notes the losses as those before the update."""
        total: Tensor = self.module(losses)
        return total

    def observe(self, losses: Tensor) -> None:
        """Update the logits."""
        if bool((self._present & losses.isfinite()).all()):
            self.module.update(losses)

    def to(self, device: torch.device) -> None:
        """Move the logits and the optimiser's moments."""
        super().to(device)
        self.module.to(device)
        self._optimiser.load_state_dict(self._optimiser.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return last losses, logits and the optimiser's state."""
        logits = {name: tensor.clone() for name, tensor in self.module.state_dict().items()}
        return {**super().state_dict(), "module": logits, "optimiser": deepcopy(self._optimiser.state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self.module.load_state_dict(state["module"])
        self._optimiser.load_state_dict(deepcopy(state["optimiser"]))
