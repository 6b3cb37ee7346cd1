"""Exponential moving average (EMA) of a network's weights and batch-norm statistics."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from mtlaerial.models import Network


class WeightAverage:
    """Average of a network over its last updates: a copy of the network, in evaluation mode.

    After each update every float of the copy, parameters and running statistics of batch norms alike, becomes
    ``decay * average + (1 - decay) * value``; integers are copied. The first update copies all, so that the average
    forgets the weights before it; after n updates the decay is ``min(decay, (1 + n) / (10 + n))``, the warm-up of
    TensorFlow's ``tf.train.ExponentialMovingAverage``, by which early weights do not weigh for long.

    ``torch.optim.swa_utils.AveragedModel`` counts its updates in a tensor that the host reads or copies at each of
    them, for which it would wait for a GPU, and it averages integers too.

    Parameters
    ----------
    network : Network
        Before it is compiled.
    decay : float
        At least 0 and below 1.

    Attributes
    ----------
    network : Network
        The average. It is neither compiled nor trained.
    updates : int
        Updates that it has seen.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = deepcopy(network).requires_grad_(False).eval()
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: Network) -> None:
        """Take the weights of a network after an update."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.updates else 0.0
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        floats = [pair for pair in pairs if pair[1].is_floating_point()]
        averages, values = [average for average, _ in floats], [value for _, value in floats]
        # lerp is exact at weight 1, and where both are equal, as in frozen parts.
        torch._foreach_lerp_(averages, values, 1.0 - decay)
        for average, value in pairs:
            if not value.is_floating_point():
                average.copy_(value)
        self.updates += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the average and the number of its updates."""
        return {"updates": self.updates, "network": self.network.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self.updates = state["updates"]
        self.network.load_state_dict(state["network"])


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
