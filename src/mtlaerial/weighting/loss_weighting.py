"""Base of weightings by losses: one function of the losses is minimised, in one backward pass."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Pass, Step, Weighting
from mtlaerial.weighting.task_gradients import TaskGradients, assign, assign_heads, loss_values, weighted


class LossWeighting(Weighting):
    """A function of the losses; its slopes at the losses of the whole batch are the weights of heads and trunk.

    A task without truth in a batch (its loss is 0) counts with its last known loss, so that the weights of the others
    stay the same, and it moves no learned parameter. A batch whose gradients overflow is not noted.
    """

    family = "losses"
    ahead: ClassVar[bool] = False
    """Whether the slopes do not depend on the losses of this step; else accumulated gradients are kept per task."""
    notes_losses: ClassVar[bool] = True
    """Whether anything follows from earlier losses."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._last = torch.ones(len(tasks))

    @abstractmethod
    def total(self, losses: Tensor) -> Tensor:
        """Return the objective, a scalar, for losses of shape (tasks,)."""

    def objective(self, part: Pass, weights: Tensor, step: Step) -> Tensor:
        """Return a pass's share of the objective, for given weights."""
        return (weights * torch.stack(list(part.losses.values()))).sum()

    def cuts(self, parts: int) -> bool:
        """Return whether the tasks' gradients are kept apart until the weights are known."""
        return parts > 1 and not self.ahead

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update."""
        super().begin(step)
        self._sums = TaskGradients(step) if self.cuts(step.parts) else None
        self._losses: list[Tensor] = []
        self._weights = self._slopes(self._last) if self.ahead else None

    def add(self, part: Pass) -> None:
        """Run one backward pass over the weighted sum; one per task where several passes decide the weights."""
        if self._sums:
            self._sums.add(part)
            return
        step = self.step
        self._losses.append(loss_values(part))
        if self._weights is None:
            # The only pass of this process; slopes are taken at the losses of the whole batch.
            step.add_up(self._losses)
            self._weights = self._slopes(self._completed(self._losses[0]))
        step.scale(self.objective(part, self._weights, step)).backward()  # type: ignore[no-untyped-call]  # torch's own

    def finish(self) -> Tensor:
        """Leave the gradients at the parameters; note the losses where these are finite."""
        weights = self._weigh_sums(self._sums) if self._sums else self._weights
        assert weights is not None  # the only pass has been added, or the weights were known ahead
        if not self._sums:
            self.step.add_up_gradients()
        if self.ahead:
            total = torch.stack(self._losses).sum(dim=0)
            self.step.add_up([total])
            self._completed(total)
        if self.notes_losses:
            self.note(self.step.gradients_are_finite())
        self._sums = None
        return weights

    def _weigh_sums(self, task_gradients: TaskGradients) -> Tensor:
        sums = task_gradients.total()
        weights = self._slopes(self._completed(sums.losses))
        assign(self.step.trunk, weighted(sums.trunk, weights.tolist()))
        assign_heads(self.step, sums.heads, weights)
        return weights

    def _completed(self, losses: Tensor) -> Tensor:
        """Return the losses; those of absent tasks, or not finite, are replaced by their last ones."""
        self._present = (losses != 0) & losses.isfinite()
        self._complete = torch.where(self._present, losses, self._last)
        return self._complete

    def note(self, finite: Tensor) -> None:
        """Take note of the batch's losses, unless its gradients are not finite; the host does not wait for either."""
        self._last = torch.where(finite, self._complete, self._last)

    def _slopes(self, losses: Tensor) -> Tensor:
        leaf = losses.clone().requires_grad_()
        with torch.enable_grad():
            # With w_t = d total / d L_t held constant, sum_t w_t L_t has the gradient of the total.
            (slopes,) = torch.autograd.grad(self.total(leaf), leaf)
        return slopes

    def to(self, device: torch.device) -> None:
        """Move the last known losses."""
        self._last = self._last.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return the last known losses."""
        return {"last": self._last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._last = state["last"].to(self._last.device)
