"""Weightings that minimise one function of the losses: one backward pass, as for a single task."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Pass, Step, Weighting
from mtlaerial.weighting.task_gradients import assign, gather, loss_values, weighted


class Scalarisation(Weighting):
    """A function of the losses; its slopes at the losses of the whole batch are the weights of heads and trunk.

    A task without truth in a batch (its loss is 0) counts with its last known loss: the weights of the others are what
    they would be beside it, and it moves nothing that is learned.
    """

    family = "losses"
    ahead: ClassVar[bool] = False
    """Whether the slopes do not depend on the losses of this step; else accumulated gradients are kept per task."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._last = torch.ones(len(tasks))

    @abstractmethod
    def total(self, losses: Tensor) -> Tensor:
        """Return what is minimised, a scalar, for losses of shape (tasks,)."""

    def objective(self, part: Pass, weights: Tensor, step: Step) -> Tensor:
        """Return what a pass adds to what is minimised, for given weights."""
        return (weights * torch.stack(list(part.losses.values()))).sum()

    def cuts(self, parts: int) -> bool:
        """Tell whether the tasks' gradients have to be kept apart until the weights are known."""
        return parts > 1 and not self.ahead

    def backward(self, step: Step) -> Tensor:
        """Run one backward pass over the weighted sum; over several passes one per task, if the weights come late."""
        if self.cuts(step.parts):
            return self._of_several(step)
        weights = self._slopes(self._last) if self.ahead else None
        losses = []
        for part in step.passes(0):
            losses.append(loss_values(part))
            if weights is None:
                step.add_up(losses)
                weights = self._slopes(self._known(losses[0]))
            step.scale(self.objective(part, weights, step)).backward()  # type: ignore[no-untyped-call]  # torch's own
        assert weights is not None
        step.add_up_gradients()
        if self.ahead:
            total = torch.stack(losses).sum(dim=0)
            step.add_up([total])
            self._known(total)
        self._learn(step)
        return weights

    def _of_several(self, step: Step) -> Tensor:
        found = gather(step, lambda shared: torch.zeros(()))
        weights = self._slopes(self._known(found.losses))
        factors = weights.tolist()
        assign(step.trunk, weighted(found.trunk, factors))
        for own, head, factor in zip(found.heads, step.heads.values(), factors, strict=True):
            assign(head, [factor * gradient for gradient in own])
        self._learn(step)
        return weights

    def _known(self, losses: Tensor) -> Tensor:
        """Return the losses; those of absent tasks, or not finite, are replaced by their last ones."""
        self._present = (losses != 0) & losses.isfinite()
        self._last = torch.where(self._present, losses, self._last)
        return self._last

    def _slopes(self, losses: Tensor) -> Tensor:
        leaf = losses.clone().requires_grad_()
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(self.total(leaf), leaf)
        return slopes

    def _learn(self, step: Step) -> None:
        """Set the gradients of what is learned besides the network; the same in every process."""
        if parameters := self.parameters():
            with torch.enable_grad():
                gradients = torch.autograd.grad(self.total(self._last), parameters)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = step.factor * gradient * self._present

    def to(self, device: torch.device) -> None:
        """Move the last known losses."""
        self._last = self._last.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return the last known losses."""
        return {"last": self._last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to a kept state."""
        self._last = state["last"].to(self._last.device)
