"""Mean losses of an epoch, over the batches in which each task has truth."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class EpochMeans:
    """Sums of losses over the batches of an epoch.

    Parameters
    ----------
    tasks : int
    """

    def __init__(self, tasks: int) -> None:
        self._sum, self._batches = torch.zeros(2, tasks)

    def add(self, losses: Tensor, counted: Tensor) -> None:
        """Add the losses of a batch, shape (tasks,), of the tasks that are counted."""
        self._sum = self._sum + losses * counted
        self._batches = self._batches + counted

    def end(self, last: Tensor) -> Tensor:
        """Return the means, shape (tasks,), and begin anew; a task that never had truth has its last known loss."""
        means = torch.where(self._batches > 0, self._sum / self._batches, last)
        self._sum, self._batches = torch.zeros_like(self._sum), torch.zeros_like(self._batches)
        return means

    def to(self, device: torch.device) -> None:
        """Move the sums."""
        self._sum, self._batches = self._sum.to(device), self._batches.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return the sums."""
        return {"sum": self._sum, "batches": self._batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the sums."""
        device = self._sum.device
        self._sum, self._batches = state["sum"].to(device), state["batches"].to(device)
