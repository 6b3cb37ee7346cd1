"""Weightings that look at the tasks' gradients before they are added up."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from mtlaerial.weighting.base import Step, Weighting

Gradients = list[tuple[Tensor, ...]]
"""Per task, the gradients of its loss with respect to the features, or to the trunk's parameters."""


class GradientWeighting(Weighting):
    """Weights from the inner products of the tasks' gradients, at one of two levels.

    Features: the gradients with respect to the trunk's output, so that the trunk's backward pass runs once whatever the
    number of tasks. Parameters: those with respect to the trunk's parameters, a backward pass of the trunk per task.
    Tasks without a gradient in a batch (no valid pixels) do not take part: their weight is 0.
    """

    cuts = True
    level: Literal["features", "parameters"] = "features"
    weighs_heads = False
    """Whether a head's gradient is weighted too; else each head follows its own task's loss."""

    @abstractmethod
    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weight of each task that takes part.

        Parameters
        ----------
        gramian : Tensor, shape (n, n), float64, on the CPU
            Inner products of the gradients of the n tasks that take part.
        losses : Tensor, shape (n,), float64, on the CPU
        active : Tensor of bool, shape (tasks,)
            Which tasks take part.

        Returns
        -------
        Tensor, shape (n,), float64
        """

    def backward(self, step: Step) -> Tensor:
        """Run the heads' backward passes, weigh, then run the trunk's."""
        gradients, heads = _through_heads(step)
        if self.level == "parameters":
            gradients = _through_trunk(step, gradients)
        weights = self._all_weights(gradients, step)
        factors = weights.tolist()
        combined = [_weighted(parts, factors) for parts in zip(*gradients, strict=True)]
        if self.level == "features":
            torch.autograd.backward(step.features, combined)
        else:
            _assign(step.trunk, combined)
        for task, own, factor in zip(step.losses, heads, factors, strict=True):
            _assign(step.heads[task], [factor * g for g in own] if self.weighs_heads else own)
        return weights

    def _all_weights(self, gradients: Gradients, step: Step) -> Tensor:
        gramian = _gramian(gradients).cpu().double()
        losses = torch.stack([loss.detach() for loss in step.losses.values()]).cpu().double()
        weights = torch.zeros(len(losses), dtype=torch.float64)
        if not bool(gramian.isfinite().all()):
            return weights + 1  # an overflow: the optimiser skips the step in 16-bit floats, else the loss is reported
        active = gramian.diagonal() > 0
        if bool(active.any()):
            weights[active] = self.weights(gramian[active][:, active], losses[active], active)
        return weights


def _through_heads(step: Step) -> tuple[Gradients, Gradients]:
    """Return each task's gradients with respect to the features, and to its head's parameters."""
    shared, own = [], []
    number = len(step.seen)
    for task, loss in step.losses.items():
        found = torch.autograd.grad(step.scale(loss), [*step.seen, *step.heads[task]])
        shared.append(found[:number])
        own.append(found[number:])
    return shared, own


def _through_trunk(step: Step, gradients: Gradients) -> Gradients:
    """Return each task's gradients with respect to the trunk's parameters."""
    last = len(gradients) - 1
    return [
        torch.autograd.grad(step.features, list(step.trunk), list(parts), retain_graph=number < last)
        for number, parts in enumerate(gradients)
    ]


def _gramian(gradients: Gradients) -> Tensor:
    """Return the inner products, shape (tasks, tasks), of gradients that may come in half precision."""
    rows = [torch.stack([_product(one, other) for other in gradients[: i + 1]]) for i, one in enumerate(gradients)]
    lower = torch.stack([torch.nn.functional.pad(row, (0, len(rows) - len(row))) for row in rows])
    return lower + lower.tril(-1).T


def _product(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([(a.float() * b.float()).sum() for a, b in zip(one, other, strict=True)]).sum()


def _weighted(parts: tuple[Tensor, ...], factors: list[float]) -> Tensor:
    total = factors[0] * parts[0]
    for part, factor in zip(parts[1:], factors[1:], strict=True):
        total += factor * part
    return total


def _assign(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
