"""Dynamic weight average: weights from how much the losses fell over the last epochs."""

from collections.abc import Mapping
from typing import Any

import torch
import torchjd.scalarization
from pydantic import PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.epoch_means import EpochMeans
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

    class Options(Section):
        """How even the weights are."""

        temperature: PositiveFloat = 2.0
        """T: the higher, the more even."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._epochs = torchjd.scalarization.DWA(options.temperature)
        self._means = EpochMeans(len(tasks))

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum."""
        # Not TorchJD's forward, which would count these losses among the epoch's: absent tasks are counted apart.
        return (dwa_weights(self._epochs, losses.detach()) * losses).sum()

    def to(self, device: torch.device) -> None:
        """Move the last known losses and the sums."""
        super().to(device)
        self._means.to(device)

    def end_epoch(self) -> None:
        """Take in the epoch's mean losses; a task that never had truth counts with its last known loss."""
        self._epochs(self._means.end(self._last))
        self._epochs.step()

    def note(self, finite: Tensor) -> None:
        """Count the losses among those of the epoch."""
        super().note(finite)
        self._means.add(self._last, self._present & finite)

    def state_dict(self) -> dict[str, Any]:
        """Return last losses, the mean losses of two epochs, and the sums of the current one."""
        return {**super().state_dict(), **self._means.state_dict(), "epochs": dwa_epochs(self._epochs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self._means.load_state_dict(state)
        restore_dwa_epochs(self._epochs, [mean.to(self._last.device) for mean in state["epochs"]])
