"""Base of weightings by losses that a module with parameters computes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mtlaerial.weighting.loss_weighting import LossWeighting


class LearnedLossWeighting(LossWeighting):
    """A scalarisation that a module computes; the network's optimiser learns its parameters."""

    module: nn.Module

    def total(self, losses: Tensor) -> Tensor:
        """Return the module's output for the losses."""
        total: Tensor = self.module(losses)
        return total

    def parameters(self) -> list[nn.Parameter]:
        """Return the module's parameters."""
        return list(self.module.parameters())

    def to(self, device: torch.device) -> None:
        """Move the module; its parameters stay the same objects."""
        super().to(device)
        self.module.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return last losses, parameters and buffers."""
        module = {name: tensor.clone() for name, tensor in self.module.state_dict().items()}
        return {**super().state_dict(), "module": module}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state in place: the optimiser holds the parameters."""
        super().load_state_dict(state)
        self.module.load_state_dict(state["module"])
