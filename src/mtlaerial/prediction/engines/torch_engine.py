"""Torch as an engine, in any precision and on any device."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mtlaerial.config import Task
from mtlaerial.config.precision import Precision


class TorchEngine:
    """A network in torch.

    Parameters
    ----------
    network : Module
        In evaluation mode.
    precision : Precision
    device : torch.device
        That of the network.
    """

    def __init__(self, network: nn.Module, precision: Precision, device: torch.device) -> None:
        self._network, self._precision, self._device = network, precision, device

    def __call__(self, image: Tensor) -> Mapping[Task, Tensor]:
        """Return each task's output, in the precision's dtype."""
        with in_precision(self._precision, self._device):
            return self._network(image)  # type: ignore[no-any-return]  # a module gives Any


def in_precision(precision: Precision, device: torch.device) -> torch.autocast:
    """Return the autocast context of a precision."""
    dtype = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}.get(precision)
    return torch.autocast(device.type, dtype, enabled=dtype is not None)
