"""Interface of what watches a training, as a dashboard or a logger does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from mtlaerial.prediction.map_network import MapNetwork


class Watcher(Protocol):
    """Watches a training; it must not draw random numbers. One that raises an error is called no more."""

    def begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take the rows of the history of a resumed training; none of a new one. It is called first, once."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a row of the history, or the last one again with scores added."""

    def look(self, network: Callable[[], MapNetwork], device: torch.device, epoch: int) -> None:
        """Take a network, in evaluation mode, after an epoch."""

    def close(self) -> None:
        """Take the end of the training, finished or not."""
