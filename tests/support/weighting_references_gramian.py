"""References for weightings of two tasks by inner products: closed forms, or searches where there is none."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from support.weighting_problem import Problem

Numbers = NDArray[np.float64]
Formula = Callable[[Numbers], Numbers]
Reference = Callable[..., list[Tensor]]


def inner(problem: Problem, level: str) -> Numbers:
    """Return the inner products of the tasks' gradients of the first batch."""
    return np.array(problem.gramian(level).tolist())


def combined(problem: Problem, weights: Numbers) -> Tensor:
    """Return the weighted sum of the tasks' gradients of the trunk's matrix."""
    first, second = (gradient.double() for gradient in problem.gradients("parameters"))
    return (float(weights[0]) * first + float(weights[1]) * second).float()


def each(formula: Formula) -> Reference:
    """Return a reference whose weights follow from the inner products of each batch alone."""

    def reference(problems: Sequence[Problem], level: str = "parameters") -> list[Tensor]:
        return [combined(problem, formula(inner(problem, level))) for problem in problems]

    return reference


def norms(gramian: Numbers) -> Numbers:
    return np.sqrt(np.diag(gramian))


def cosine(gramian: Numbers) -> float:
    return float(gramian[0, 1] / np.prod(norms(gramian)))


def length(weights: Numbers, gramian: Numbers) -> float:
    """Return the norm of the update."""
    return float(np.sqrt(weights @ gramian @ weights))


def mgda(gramian: Numbers) -> Numbers:
    """Sener & Koltun 2018, algorithm 1: the point of least norm between two gradients."""
    (a, b), (_, c) = gramian
    share = np.clip((c - b) / (a + c - 2 * b), 0, 1)
    return np.array([share, 1 - share])


def pcgrad(gramian: Numbers) -> Numbers:
    """Yu et al. 2020, algorithm 1: each gradient is projected onto the normal plane of the other, if they conflict."""
    conflict = min(gramian[0, 1], 0.0)
    return np.array([1 - conflict / gramian[0, 0], 1 - conflict / gramian[1, 1]])


def upgrad(gramian: Numbers) -> Numbers:
    """Quinton & Rey 2024: the mean of the projections; onto a half-space each, as only the other can be in conflict."""
    return pcgrad(gramian) / 2


def dualproj(gramian: Numbers) -> Numbers:
    """The mean, less its component along the one gradient that it is in conflict with."""
    weights = np.array([0.5, 0.5])
    against = gramian @ weights
    for task in range(2):
        if against[task] < 0:
            weights[task] -= against[task] / gramian[task, task]
    return weights


def cagrad(gramian: Numbers, c: float = 0.4) -> Numbers:
    """Liu et al. 2021, the dual of equation 3, over the share of the first task: a fine grid, then golden section."""
    mean = np.array([0.5, 0.5])
    radius = c * length(mean, gramian)

    def value(share: float) -> float:
        weights = np.array([share, 1 - share])
        return float(weights @ gramian @ mean + radius * length(weights, gramian))

    grid = np.linspace(0, 1, 1001)
    best = float(grid[np.argmin([value(share) for share in grid])])
    bounds = (max(best - 1e-3, 0.0), min(best + 1e-3, 1.0))
    minimum = float(minimize_scalar(value, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    share = min((0.0, 1.0, minimum), key=value)
    weights = np.array([share, 1 - share])
    return mean + radius / length(weights, gramian) * weights


def imtl_g(gramian: Numbers) -> Numbers:
    """Liu et al. 2021, equation 6 for two tasks, by components: ``a_2 = g_1 U' (D U')^-1``, ``a_1 = 1 - a_2``."""
    first, second = norms(gramian)
    along = gramian[0, 0] / first - gramian[0, 1] / second  # g_1 . (u_1 - u_2)
    across = along - (gramian[0, 1] / first - gramian[1, 1] / second)  # (g_1 - g_2) . (u_1 - u_2)
    return np.array([1 - along / across, along / across])


def fair(gramian: Numbers, alpha: float) -> Numbers:
    """The root of ``G w = w^(-1 / alpha)`` over the logarithm of the weights' ratio; their size follows from a row."""

    def size(ratio: float) -> float:
        pair = np.array([1.0, np.exp(ratio)])
        return float((gramian[0] @ pair) ** (-alpha / (1 + alpha)))

    def gap(ratio: float) -> float:
        pair = np.array([1.0, np.exp(ratio)])
        return float((gramian[1] @ pair) - (gramian[0] @ pair) * np.exp(-ratio / alpha))

    low, high = -30.0, 30.0
    if gramian[0, 1] < 0:  # both losses have to fall
        low, high = np.log(-gramian[0, 1] / gramian[1, 1]) + 1e-12, np.log(gramian[0, 0] / -gramian[0, 1]) - 1e-12
    ratio = float(brentq(gap, low, high, xtol=1e-14))
    return size(ratio) * np.array([1.0, np.exp(ratio)])


def clipped(gramian: Numbers, weights: Numbers, most: float = 1.0) -> Numbers:
    """Make an update shorter that is longer than the greatest norm."""
    return weights * min(1.0, most / length(weights, gramian))


def fairgrad(gramian: Numbers) -> Numbers:
    """Ban & Ji 2024, equation 4, for their alpha of 2."""
    return clipped(gramian, fair(gramian, 2.0))


def nash_mtl(gramian: Numbers) -> Numbers:
    """Navon et al. 2022: ``G w = 1 / w``; for two tasks both ``w_t ||g_t||`` are ``1 / sqrt(1 + cosine)``."""
    return clipped(gramian, 1 / norms(gramian) / np.sqrt(1 + cosine(gramian)))


def aligned_mtl(gramian: Numbers) -> Numbers:
    """Senushkin et al. 2023: the row sums of the inverse root, scaled by the least singular value.

    The root of a 2x2 matrix G is ``(G + sqrt(det G) 1) / sqrt(trace G + 2 sqrt(det G))``.
    """
    root = np.sqrt(np.linalg.det(gramian))
    inverse = np.linalg.inv((gramian + root * np.eye(2)) / np.sqrt(np.trace(gramian) + 2 * root))
    half = np.trace(gramian) / 2
    least = half - np.sqrt(half**2 - root**2)
    return np.sqrt(least) * inverse.sum(axis=1)


def config(gramian: Numbers) -> Numbers:
    """Liu et al. 2024: along the sum of the directions u, of length ``sum_t ||g_t|| cos(angle / 2)``."""
    half = np.sqrt((1 + cosine(gramian)) / 2)
    return norms(gramian).sum() * half / (2 * half) / norms(gramian)


def pcd(problems: Sequence[Problem], level: str = "parameters", tau: float = 0.02, beta: float = 0.999) -> list[Tensor]:
    """Varam & AlHajri 2026, the closed form for two tasks: the second task's lack is added along its gradient."""
    updates, mean = [], np.zeros(2)
    for number, problem in enumerate(problems, start=1):
        gramian = inner(problem, level)
        mean = beta * mean + (1 - beta) * np.diag(gramian)
        scales = 1 / np.sqrt(mean / (1 - beta**number))
        scaled = gramian * np.outer(scales, scales)
        weights = np.array([1.0, max(tau - scaled[0, 1] / scaled[1, 1], 0.0)]) * scales
        updates.append(combined(problem, weights * norms(gramian)[0] / length(weights, gramian)))
    return updates


def gradvac(problems: Sequence[Problem], level: str = "parameters", beta: float = 0.5) -> list[Tensor]:
    """Wang et al. 2021, algorithm 1, on vectors in the plane of the two gradients."""
    updates, target = [], 0.0  # the same for both: neither gradient is changed twice
    for problem in problems:
        gramian = inner(problem, level)
        now, size = cosine(gramian), norms(gramian)
        weights = np.ones(2)
        if now < target:
            sine, target_sine = np.sqrt(1 - now**2), np.sqrt(1 - target**2)
            weights = 1 + size[::-1] * (target * sine - now * target_sine) / (size * target_sine)
        target = (1 - beta) * target + beta * now
        updates.append(combined(problem, weights))
    return updates


def cr_mogm(problems: Sequence[Problem], level: str = "parameters", alpha: float = 0.9) -> list[Tensor]:
    """Zhou et al. 2022: the mean of MGDA's weights, from the first on."""
    updates, mean = [], None
    for problem in problems:
        weights = mgda(inner(problem, level))
        mean = weights if mean is None else alpha * mean + (1 - alpha) * weights
        updates.append(combined(problem, mean))
    return updates


def gradnorm(
    problems: Sequence[Problem], level: str = "features", alpha: float = 1.5, rate: float = 0.025
) -> list[Tensor]:
    """Chen et al. 2018, algorithm 1, with Adam written out."""
    updates, first = [], np.array(problems[0].losses().tolist())
    weights, mean, square = np.ones(2), np.zeros(2), np.zeros(2)
    for number, problem in enumerate(problems, start=1):
        updates.append(combined(problem, weights))
        size, progress = norms(inner(problem, level)), np.array(problem.losses().tolist()) / first
        excess = weights * size - (weights * size).mean() * (progress / progress.mean()) ** alpha
        slope = np.sign(excess) * size
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        step = mean / (1 - 0.9**number) / np.sqrt(square / (1 - 0.999**number))
        weights = weights - rate * step
        weights = 2 * weights / weights.sum()
    return updates


def gradient_penalty(problems: Sequence[Problem], strength: float = 1.0) -> list[Tensor]:
    """Gulrajani et al. 2017, equation 3, on each task's loss: differentiated twice."""
    updates = []
    for problem in problems:
        part = problem.forward()
        total = torch.stack(list(part.losses.values())).sum()
        for loss in part.losses.values():
            (gradient,) = torch.autograd.grad(loss, part.image, create_graph=True)
            total = total + strength * ((gradient.norm(dim=1) - 1) ** 2).mean()
        updates.append(torch.autograd.grad(total, problem.trunk)[0])
    return updates


FORMULAS: dict[str, Formula] = {
    "pcgrad": pcgrad,
    "cagrad": cagrad,
    "imtl_g": imtl_g,
    "imtl": imtl_g,
    "nash_mtl": nash_mtl,
    "fairgrad": fairgrad,
    "aligned_mtl": aligned_mtl,
    "upgrad": upgrad,
    "dualproj": dualproj,
    "config": config,
    "mgda": mgda,
    "mgda_ub": mgda,
    "feature_normalisation": lambda gramian: norms(gramian).mean() / norms(gramian),
}
"""Weights that follow from the inner products of one batch."""

REFERENCES: dict[str, Reference] = {
    "equal": each(lambda gramian: np.ones(2)),
    "fixed": each(lambda gramian: np.array([0.25, 2.0])),
    "gradient_penalty": gradient_penalty,
    **{name: each(formula) for name, formula in FORMULAS.items()},
    "pcd": pcd,
    "gradvac": gradvac,
    "cr_mogm": cr_mogm,
    "gradnorm": gradnorm,
}
"""Expected gradients of the trunk's matrix for successive updates.

No optimiser steps, so that IMTL's scales stay 1, and it is IMTL-G. UPGrad is half of PCGrad; IMTL-G, Nash-MTL and
ConFIG have the same direction at the same level.
"""
