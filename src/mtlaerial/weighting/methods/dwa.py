"""Dynamic weight average: weights from how much the losses fell over the last epochs."""

from collections.abc import Mapping
from typing import Any

import torch
import torchjd.scalarization
from pydantic import PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.torchjd_adapter import dwa_epochs, dwa_weights, restore_dwa_epochs


class DWA(LossWeighting):
    """Favours the tasks whose losses fell least from the epoch before the last to the last.

    ``sum_t w_t L_t`` with ``w = n softmax(r / T)`` over the n tasks and r_t the task's mean loss in the last epoch over
    that in the one before: Liu, Johns & Davison 2019, arXiv 1803.10704. In the first two epochs it is the plain sum.
    Computed by TorchJD. The means are over the batches in which the task has truth.
    """

    paper = "Liu et al. 2019"
    state = "the mean losses of two epochs and of the current one"
    ahead = True
    _sum: Tensor
    _batches: Tensor

    class Options(Section):
        """How even the weights are."""

        temperature: PositiveFloat = 2.0
        """T: the higher, the more even."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._epochs = torchjd.scalarization.DWA(options.temperature)
        self._begin_epoch()

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum."""
        # Not TorchJD's forward, which would count these losses among the epoch's: absent tasks are counted apart.
        return (dwa_weights(self._epochs, losses.detach()) * losses).sum()

    def to(self, device: torch.device) -> None:
        """Move the last known losses and the sums."""
        super().to(device)
        self._sum, self._batches = self._sum.to(device), self._batches.to(device)

    def end_epoch(self) -> None:
        """Take in the epoch's mean losses; a task that never had truth counts with its last known loss."""
        self._epochs(torch.where(self._batches > 0, self._sum / self._batches, self._last))
        self._epochs.step()
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._sum, self._batches = torch.zeros(2, len(self.tasks), device=self._last.device)

    def _remember(self, losses: Tensor) -> Tensor:
        losses = super()._remember(losses)
        self._sum = self._sum + losses * self._present
        self._batches = self._batches + self._present
        return losses

    def state_dict(self) -> dict[str, Any]:
        """Return last losses, the mean losses of two epochs, and the sums of the current one."""
        sums = {"sum": self._sum, "batches": self._batches}
        return {**super().state_dict(), **sums, "epochs": dwa_epochs(self._epochs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        device = self._last.device
        self._sum, self._batches = state["sum"].to(device), state["batches"].to(device)
        restore_dwa_epochs(self._epochs, [mean.to(device) for mean in state["epochs"]])
