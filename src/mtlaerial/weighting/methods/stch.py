"""Smooth Tchebycheff scalarisation: the worst of the losses, smoothed."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
import torchjd.scalarization
from pydantic import NonNegativeInt, PositiveFloat
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.epoch_means import EpochMeans
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.task_values import PreferenceOptions, preference_shares


class STCH(LossWeighting):
    """A smooth maximum of the losses: the task that is worst off is followed most.

    ``mu log sum_t exp(p_t L_t / mu)`` with the shares p of the tasks in the preferences, by default 1 / n: Lin et al.
    2024, arXiv 2402.19078, with an ideal point of 0. With equal preferences ``w = softmax(L / (n mu)) / n``. Computed
    by TorchJD.

    That is the definition of the paper. It compares losses as they are: in other units (all losses times c are as mu
    over c, and one loss times c is another problem) other tasks are worst off, so losses are brought to a like size
    first, e.g. by ``training.height_unit``. The ``networks`` of the authors' code minimise another function, free of
    units: ``n mu log sum_t exp(n p_t log(L_t / z_t) / mu)`` with z the mean losses of the epoch after the ``warmup``;
    until that has ended ``sum_t n p_t log L_t``. In the authors' code all preferences are equal.
    """

    paper = "Lin et al. 2024"
    state = "none; of the networks' variant the mean losses of an epoch"

    class Options(PreferenceOptions):
        """How smooth the maximum is, of which function, and the tasks' preferences."""

        mu: PositiveFloat = 1.0
        """Towards 0 the worst task counts alone; the higher, the more even."""
        variant: Literal["definition", "networks"] = "definition"
        """``definition``: the paper's; ``networks``: the one of the authors' code for networks."""
        warmup: NonNegativeInt = 4
        """Epochs before the one whose mean losses are the reference of the networks' variant; theirs."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._shares = preference_shares(options.preferences, tasks, "stch").float()
        self._epoch = 0
        self._means = EpochMeans(len(tasks))
        self._reference: Tensor | None = None

    def total(self, losses: Tensor) -> Tensor:
        """Return the smooth maximum."""
        if self.options.variant == "definition":
            return self._maximum(losses, self._shares)
        relative = len(losses) * self._shares
        if self._reference is None:
            return (relative * losses.log()).sum()
        return len(losses) * self._maximum((losses / self._reference).log(), relative)

    def _maximum(self, values: Tensor, factors: Tensor) -> Tensor:
        maximum: Tensor = torchjd.scalarization.STCH(self.options.mu, factors)(values)
        return maximum

    def note(self, finite: Tensor) -> None:
        """Count the losses among those of the epoch."""
        super().note(finite)
        self._means.add(self._last, self._present & finite)

    def end_epoch(self) -> None:
        """Take the mean losses of the epoch after the warm-up for reference."""
        means = self._means.end(self._last)
        if self._epoch == self.options.warmup:
            self._reference = means
        self._epoch += 1

    def to(self, device: torch.device) -> None:
        """Move all losses."""
        super().to(device)
        self._means.to(device)
        self._shares = self._shares.to(device)
        if self._reference is not None:
            self._reference = self._reference.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return last losses, sums of the epoch, and the reference once it is known."""
        reference = {} if self._reference is None else {"reference": self._reference}
        return {**super().state_dict(), **self._means.state_dict(), "epoch": self._epoch, **reference}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self._means.load_state_dict(state)
        self._epoch = state["epoch"]
        self._reference = state["reference"].to(self._last.device) if "reference" in state else None
