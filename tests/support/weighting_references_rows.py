"""References for weightings that remember other batches, and for GradDrop: their equations in double precision.

Two tasks; ``level`` is that of the gradients, as in :mod:`mtlaerial.weighting.row_weighting`.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from support.weighting_problem import Problem

Numbers = NDArray[np.float64]


def rows_of(problem: Problem, level: str, batch: int = 0) -> Numbers:
    """Return a row per task: all of the matrix's gradients, or those of the features summed over the samples."""
    gradients = [gradient.double().numpy() for gradient in problem.gradients(level, batch)]
    if level == "parameters":
        return np.stack([gradient.ravel() for gradient in gradients])
    return np.stack([gradient.sum(axis=0) for gradient in gradients])


def losses_of(problem: Problem) -> Numbers:
    return np.array(problem.losses().tolist())


def combined(problem: Problem, weights: Iterable[float], batch: int = 0) -> Tensor:
    """Return the weighted sum of the tasks' gradients of the trunk's matrix."""
    gradients = problem.gradients("parameters", batch)
    return sum(weight * gradient.double() for weight, gradient in zip(weights, gradients, strict=True)).float()


def update_of(problem: Problem, level: str, weights: Numbers, averages: Numbers, per_loss: Numbers) -> Tensor:
    """Return the weighted sum of the averages, or at the features of this batch's gradients."""
    if level == "features":
        return combined(problem, weights * per_loss)
    return torch.from_numpy(weights @ averages).view(problem.trunk.shape).float()


def on_the_simplex(point: Numbers) -> Numbers:
    """The nearest pair that adds up to 1: along the line by half the difference, then cut at its ends."""
    share = np.clip((point[0] - point[1] + 1) / 2, 0, 1)
    return np.array([share, 1 - share])


def excess_mtl(problems: Sequence[Problem], level: str = "parameters", eta: float = 0.01) -> list[Tensor]:
    updates, weights, squares, first = [], np.full(2, 0.5), 0.0, None
    for problem in problems:
        rows = rows_of(problem, level)
        squares = squares + rows**2
        excess = (rows**2 / np.sqrt(squares)).sum(axis=1)
        if first is None:
            first = excess
        else:
            weights = weights * np.exp(eta * excess / first)
            weights /= weights.sum()
        updates.append(combined(problem, weights))
    return updates


def db_mtl(
    problems: Sequence[Problem], level: str = "parameters", beta: float = 0.9, decay: float = 0.0
) -> list[Tensor]:
    updates, averages = [], 0.0
    for number, problem in enumerate(problems, start=1):
        logarithmic = rows_of(problem, level) / losses_of(problem)[:, None]
        share = beta / number**decay
        averages = share * averages + (1 - share) * logarithmic
        norms = np.sqrt((averages**2).sum(axis=1))
        updates.append(update_of(problem, level, norms.max() / norms, averages, 1 / losses_of(problem)))
    return updates


def moco(
    problems: Sequence[Problem], level: str = "parameters", beta: float = 0.1, gamma: float = 0.1, rho: float = 0.1
) -> list[Tensor]:
    updates, tracked, weights = [], np.zeros(()), np.full(2, 0.5)
    for problem in problems:
        tracked = tracked - beta * (tracked - rows_of(problem, level))
        weights = on_the_simplex(weights - gamma * (tracked @ tracked.T + rho * np.eye(2)) @ weights)
        updates.append(update_of(problem, level, weights, tracked, np.ones(2)))
    return updates


def modo(problems: Sequence[Problem], level: str = "parameters", gamma: float = 0.1, rho: float = 0.1) -> list[Tensor]:
    updates, weights = [], np.full(2, 0.5)
    for problem in problems:
        first, second = rows_of(problem, level, 0), rows_of(problem, level, 1)
        weights = on_the_simplex(weights - gamma * (first @ (second.T @ weights) + rho * weights))
        updates.append(combined(problem, weights, batch=2))
    return updates


def sdmgrad(problems: Sequence[Problem], level: str = "parameters", share: float = 0.3) -> list[Tensor]:
    updates, weights = [], np.full(2, 0.5)
    for problem in problems:
        table = rows_of(problem, level, 0) @ rows_of(problem, level, 1).T
        scale = np.sqrt(np.maximum(np.diag(table), 0)).mean() ** 2
        table, speed = table / (scale or np.inf), np.zeros(2)  # without a scale nothing moves
        for _ in range(20):
            speed = 0.5 * speed + table @ weights + share * table.mean(axis=1)
            weights = on_the_simplex(weights - 10 * speed)
        updates.append(combined(problem, (weights + share / 2) / (1 + share), batch=2))
    return updates


def graddrop(problems: Sequence[Problem], level: str = "features", leak: float = 0.0) -> list[Tensor]:
    """A uniform number per element, seeded with the update's number."""
    updates = []
    for number, problem in enumerate(problems):
        torch.manual_seed(number)
        gradients = torch.stack(problem.gradients(level))
        drawn = torch.rand(gradients[0].numel()).view_as(gradients[0])
        positive, negative = gradients.clamp(min=0).sum(dim=0), gradients.clamp(max=0).sum(dim=0)
        combined_signs = torch.where(drawn < positive / (positive - negative), positive, negative)
        combined_signs = leak * gradients.sum(dim=0) + (1 - leak) * combined_signs
        updates.append(combined_signs if level == "parameters" else through_the_trunk(problem, combined_signs))
    return updates


def through_the_trunk(problem: Problem, gradient: Tensor) -> Tensor:
    """Return the gradient of the trunk's matrix for one of the features."""
    return torch.autograd.grad(problem.forward().features[0], problem.trunk, gradient)[0]


REFERENCES: dict[str, Callable[..., list[Tensor]]] = {
    "excess_mtl": excess_mtl,
    "db_mtl": db_mtl,
    "moco": moco,
    "modo": modo,
    "sdmgrad": sdmgrad,
    "graddrop": graddrop,
}
"""Expected gradients of the trunk's matrix for successive updates, options and levels being the default ones.

ExcessMTL weighs equally, by a half, as long as all batches are the same."""
