"""Interface of what watches a training, as a dashboard does."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch

from mtlaerial.prediction.map_network import MapNetwork


class Watcher(Protocol):
    """Watches a training; it must neither raise nor draw random numbers."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of the history, or the last one again with scores added."""

    def look(self, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        """Take a network, in evaluation mode, after an epoch."""
