"""The tasks' gradients of a step, each for itself: through the heads, and through the trunk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mtlaerial.weighting.base import Pass, Step

Gradients = list[tuple[Tensor, ...]]
"""Per task, the gradients of its loss with respect to the features, or to parameters."""


@dataclass(frozen=True)
class Gathered:
    """What the passes of a batch add up to.

    Attributes
    ----------
    losses : Tensor, shape (tasks,), float32
        Of the whole batch, without gradient.
    trunk : list of tuple of Tensor
        Each task's gradients with respect to the trunk's parameters, scaled for 16-bit floats.
    heads : list of tuple of Tensor
        Each task's gradients with respect to its head's parameters, scaled likewise.
    table : Tensor
        What was measured at the features, summed over all passes.
    """

    losses: Tensor
    trunk: Gradients
    heads: Gradients
    table: Tensor


def unmeasured(gradients: Gradients) -> Tensor:
    """Return a 0: nothing is to be known of the gradients with respect to the features."""
    return gradients[0][0].new_zeros(())


def gather(step: Step, measure: Callable[[Gradients], Tensor] = unmeasured, batch: int = 0) -> Gathered:
    """Add up each task's gradients over all passes of a batch and all processes; a backward pass of the trunk per task.

    Parameters
    ----------
    step : Step
    measure : callable
        Brings the tasks' gradients with respect to the features of a pass to what can be added up over passes.
    batch : int
        Which of the independent batches.
    """
    losses: list[Tensor] = []
    tables: list[Tensor] = []
    trunk: Gradients = []
    heads: Gradients = []
    for part in step.passes(batch):
        shared, own = through_heads(part, step)
        tables.append(measure(shared))
        trunk = _sum(trunk, through_trunk(part, step, shared))
        heads = _sum(heads, own)
        losses.append(loss_values(part))
    total, table = torch.stack(losses).sum(dim=0), torch.stack(tables).sum(dim=0)
    step.add_up([total, table, *(tensor for rows in (trunk, heads) for row in rows for tensor in row)])
    return Gathered(total, trunk, heads, table)


def accumulate(step: Step, combine: Callable[[Gradients], list[Tensor]], batch: int = 0) -> tuple[Tensor, Gradients]:
    """Add up the trunk's gradients over all passes of a batch, in place; one backward pass of the trunk in each.

    Parameters
    ----------
    step : Step
    combine : callable
        Makes one of the tasks' gradients with respect to the features of a pass.
    batch : int
        Which of the independent batches.

    Returns
    -------
    losses : Tensor, shape (tasks,), float32
        Of this process's share of the batch.
    heads : list of tuple of Tensor
        Each task's gradients with respect to its head's parameters, of that share likewise.
    """
    losses: list[Tensor] = []
    heads: Gradients = []
    for part in step.passes(batch):
        shared, own = through_heads(part, step)
        torch.autograd.backward(part.features, combine(shared))
        heads = _sum(heads, own)
        losses.append(loss_values(part))
    return torch.stack(losses).sum(dim=0), heads


def loss_values(part: Pass) -> Tensor:
    """Return the losses of a pass as numbers, shape (tasks,)."""
    return torch.stack([loss.detach() for loss in part.losses.values()])


def through_heads(part: Pass, step: Step) -> tuple[Gradients, Gradients]:
    """Return each task's gradients with respect to the features, and to its head's parameters."""
    shared, own = [], []
    number = len(part.seen)
    for task, loss in part.losses.items():
        found = torch.autograd.grad(step.scale(loss), [*part.seen, *step.heads[task]])
        shared.append(found[:number])
        own.append(found[number:])
    return shared, own


def through_trunk(part: Pass, step: Step, gradients: Gradients) -> Gradients:
    """Return each task's gradients with respect to the trunk's parameters."""
    last = len(gradients) - 1
    return [
        torch.autograd.grad(part.features, list(step.trunk), list(row), retain_graph=number < last)
        for number, row in enumerate(gradients)
    ]


def gramian(gradients: Gradients) -> Tensor:
    """Return the inner products, shape (tasks, tasks), float32, of gradients that may come in half precision."""
    rows = [torch.stack([_product(one, other) for other in gradients[: i + 1]]) for i, one in enumerate(gradients)]
    lower = torch.stack([torch.nn.functional.pad(row, (0, len(rows) - len(row))) for row in rows])
    return lower + lower.tril(-1).T


def weighted(gradients: Gradients, factors: Sequence[float]) -> list[Tensor]:
    """Return the weighted sum of the tasks' gradients."""
    return [_weighted(parts, factors) for parts in zip(*gradients, strict=True)]


def assign(parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
    """Set the gradients of parameters, in the parameters' own memory order.

    A fused optimiser goes through both as they lie in memory: on a GPU it refuses another order, on the CPU it would
    mix up numbers without a word. Only ``backward`` sees to that by itself.
    """
    for parameter, gradient in zip(parameters, gradients, strict=True):
        alike = gradient.stride() == parameter.stride()
        parameter.grad = gradient if alike else torch.empty_like(parameter).copy_(gradient)


def assign_heads(step: Step, gradients: Gradients, weights: Tensor | None = None) -> None:
    """Set the gradients of the heads' parameters, each task's times its weight."""
    factors = [1.0] * len(gradients) if weights is None else weights.tolist()
    for own, head, factor in zip(gradients, step.heads.values(), factors, strict=True):
        assign(head, own if weights is None else [factor * gradient for gradient in own])


def _product(one: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> Tensor:
    return torch.stack([(a.float() * b.float()).sum() for a, b in zip(one, other, strict=True)]).sum()


def _weighted(parts: tuple[Tensor, ...], factors: Sequence[float]) -> Tensor:
    total = factors[0] * parts[0]
    for part, factor in zip(parts[1:], factors[1:], strict=True):
        total += factor * part
    return total


def _sum(total: Gradients, more: Gradients) -> Gradients:
    """Add gradients up in place; the first are the sum themselves."""
    for one, other in zip(total, more, strict=False):
        torch._foreach_add_(one, other)
    return total or more
