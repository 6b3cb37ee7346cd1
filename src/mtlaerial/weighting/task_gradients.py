"""The tasks' gradients of a batch, one by one: through the heads, and through the trunk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlaerial.weighting.base import Pass, Step

Gradients = list[tuple[Tensor, ...]]
"""Per task, the gradients of its loss with respect to the features, or to parameters."""


@dataclass(frozen=True)
class Gathered:
    """Sums over all passes of a batch and all processes.

    Attributes
    ----------
    losses : Tensor, shape (tasks,), float32
        Losses of the whole batch, without gradient.
    trunk : list of tuple of Tensor
        Each task's gradients with respect to the trunk's parameters, scaled for 16-bit floats.
    heads : list of tuple of Tensor
        Each task's gradients with respect to its head's parameters, scaled likewise.
    table : Tensor
        The measure of the features' gradients, summed over all passes.
    """

    losses: Tensor
    trunk: Gradients
    heads: Gradients
    table: Tensor


def unmeasured(gradients: Gradients) -> Tensor:
    """Return a 0 in place of a measure of the features' gradients."""
    return gradients[0][0].new_zeros(())


class TaskGradients:
    """Adds up each task's gradients over the passes of a batch, with a backward pass of the trunk per task.

    Parameters
    ----------
    step : Step
    measure : callable
        Brings the tasks' gradients with respect to the features of a pass to a table; tables of passes add up.
    """

    def __init__(self, step: Step, measure: Callable[[Gradients], Tensor] = unmeasured) -> None:
        self._step, self._measure = step, measure
        self._losses: list[Tensor] = []
        self._tables: list[Tensor] = []
        self._trunk: Gradients = []
        self._heads: Gradients = []

    def add(self, part: Pass) -> None:
        """Run the backward passes of a forward pass."""
        at_features, at_heads = through_heads(part, self._step)
        self._tables.append(self._measure(at_features))
        self._trunk = _sum(self._trunk, through_trunk(part, self._step, at_features))
        self._heads = _sum(self._heads, at_heads)
        self._losses.append(loss_values(part))

    def total(self) -> Gathered:
        """Return the sums over all passes and processes."""
        losses, table = torch.stack(self._losses).sum(dim=0), torch.stack(self._tables).sum(dim=0)
        rows = [*self._trunk, *self._heads]
        self._step.add_up([losses, table, *(tensor for row in rows for tensor in row)])
        return Gathered(losses, self._trunk, self._heads, table)


class CombinedGradients:
    """Runs one backward pass of the trunk per forward pass, from a combination of the tasks' gradients.

    The combination must be known pass by pass: nothing but the heads' gradients is kept per task.

    Parameters
    ----------
    step : Step
    combine : callable
        Combines the tasks' gradients with respect to the features of a pass.
    """

    def __init__(self, step: Step, combine: Callable[[Gradients], list[Tensor]]) -> None:
        self._step, self._combine = step, combine
        self._losses: list[Tensor] = []
        self._heads: Gradients = []

    def add(self, part: Pass) -> None:
        """Run the backward passes of a forward pass; the trunk's gradients add up in place."""
        at_features, at_heads = through_heads(part, self._step)
        torch.autograd.backward(part.features, self._combine(at_features))
        self._heads = _sum(self._heads, at_heads)
        self._losses.append(loss_values(part))

    def finish(self) -> Tensor:
        """Set the heads' gradients, add up all gradients over the processes; return the batch's losses, (tasks,)."""
        assign_heads(self._step, self._heads)
        self._step.add_up_gradients()
        losses = torch.stack(self._losses).sum(dim=0)
        self._step.add_up([losses])
        return losses


def loss_values(part: Pass) -> Tensor:
    """Return the losses of a pass without gradient, shape (tasks,)."""
    return torch.stack([loss.detach() for loss in part.losses.values()])


def through_heads(part: Pass, step: Step) -> tuple[Gradients, Gradients]:
    """Return each task's gradients with respect to the features, and to its head's parameters."""
    at_features, at_heads = [], []
    scales = len(part.head_inputs)
    for task, loss in part.losses.items():
        # One backward pass of the head yields both.
        gradients = torch.autograd.grad(step.scale(loss), [*part.head_inputs, *step.heads[task]])
        at_features.append(gradients[:scales])
        at_heads.append(gradients[scales:])
    return at_features, at_heads


def through_trunk(part: Pass, step: Step, gradients: Gradients) -> Gradients:
    """Return each task's gradients with respect to the trunk's parameters; empty where all of it is frozen."""
    if not step.trunk:
        return [() for _ in gradients]
    last = len(gradients) - 1  # the trunk's graph is freed with its last backward pass
    return [
        torch.autograd.grad(part.features, list(step.trunk), list(row), retain_graph=number < last)
        for number, row in enumerate(gradients)
    ]


def gramian(gradients: Gradients) -> Tensor:
    """Return the inner products, shape (tasks, tasks), float32, of gradients that may come in half precision."""
    tasks = len(gradients)
    rows = []
    for task, gradient in enumerate(gradients):
        products = torch.stack([_product(gradient, earlier) for earlier in gradients[: task + 1]])
        rows.append(torch.nn.functional.pad(products, (0, tasks - len(products))))
    lower = torch.stack(rows)  # symmetric: each product is computed once
    return lower + lower.tril(-1).T


def weighted(gradients: Gradients, factors: Sequence[float]) -> list[Tensor]:
    """Return the weighted sum of the tasks' gradients."""
    return [_weighted(parts, factors) for parts in zip(*gradients, strict=True)]


def assign(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """Set the gradients of parameters, in the parameters' own memory order.

    A fused optimiser walks through both as they lie in memory: on a GPU it refuses another order, on the CPU it mixes
    up numbers silently. ``Tensor.backward`` takes care of the order, ``autograd.grad`` does not.
    """
    for parameter, gradient in zip(parameters, gradients, strict=True):
        same_order = gradient.stride() == parameter.stride()
        parameter.grad = gradient if same_order else torch.empty_like(parameter).copy_(gradient)


def assign_heads(step: Step, gradients: Gradients, weights: Tensor | None = None) -> None:
    """Set the gradients of the heads' parameters, each task's times its weight."""
    heads = step.heads.values()
    if weights is None:
        for head, of_head in zip(heads, gradients, strict=True):
            assign(head, of_head)
        return
    for head, of_head, weight in zip(heads, gradients, weights.tolist(), strict=True):
        assign(head, [weight * gradient for gradient in of_head])


def _product(left: tuple[Tensor, ...], right: tuple[Tensor, ...]) -> Tensor:
    # In float32 also for half-precision gradients, whose squares would overflow.
    return torch.stack([(a.float() * b.float()).sum() for a, b in zip(left, right, strict=True)]).sum()


def _weighted(parts: tuple[Tensor, ...], factors: Sequence[float]) -> Tensor:
    total = factors[0] * parts[0]
    for part, factor in zip(parts[1:], factors[1:], strict=True):
        total += factor * part
    return total


def _sum(total: Gradients, more: Gradients) -> Gradients:
    """Add gradients up in place; the first are the sum themselves."""
    for sums, gradients in zip(total, more, strict=False):
        if sums:  # torch takes no empty lists
            torch._foreach_add_(sums, gradients)
    return total or more
