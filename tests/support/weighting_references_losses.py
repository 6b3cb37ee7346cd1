"""References for weightings by losses: the equations of their papers in double precision."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from support.weighting_problem import Problem

Numbers = NDArray[np.float64]
Reference = Callable[..., list[Tensor]]


def losses_of(problem: Problem) -> Numbers:
    """Return the losses of the first batch."""
    return np.array(problem.losses().tolist())


def combined(problem: Problem, weights: Iterable[float]) -> Tensor:
    """Return the weighted sum of the tasks' gradients of the trunk's matrix."""
    gradients = problem.gradients("parameters")
    return sum(weight * gradient.double() for weight, gradient in zip(weights, gradients, strict=True)).float()


def each(weights: Callable[[Numbers], Numbers]) -> Reference:
    """Return a reference whose weights follow from the losses of the batch alone."""
    return lambda problems: [combined(problem, weights(losses_of(problem))) for problem in problems]


def softmax(values: Numbers) -> Numbers:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def geometric(losses: Numbers) -> Numbers:
    """The derivative of a power of the product: in turn, the product of the others is its own derivative."""
    others = np.array([np.prod(np.delete(losses, task)) for task in range(len(losses))])
    return np.prod(losses) ** (1 / len(losses) - 1) * others / len(losses)


def smooth_maximum(losses: Numbers, mu: float = 1.0) -> Numbers:
    """Central differences of ``mu log sum_t exp(L_t / (n mu))``."""
    number, step = len(losses), 1e-5

    def value(at: Numbers) -> float:
        return float(mu * np.log(np.exp(at / number / mu).sum()))

    return np.array([(value(losses + d) - value(losses - d)) / (2 * step) for d in step * np.eye(number)])


def at_one_rate(losses: Numbers) -> Numbers:
    """FAMO before it learns: a step in proportion to these lowers all logarithms by equal shares; they add up to 1."""
    return (1 / losses) / (1 / losses).sum()


def drawn(problems: Sequence[Problem], level: str = "") -> list[Tensor]:
    """A pair of standard normal numbers per update, seeded with the update's number; the same at both levels."""
    updates = []
    for number, problem in enumerate(problems):
        torch.manual_seed(number)
        updates.append(combined(problem, softmax(np.array([float(torch.randn(())) for _ in range(2)]))))
    return updates


REFERENCES: dict[str, Reference] = {
    "rlw": drawn,
    "rgw": drawn,
    "dwa": each(np.ones_like),
    "uw": each(lambda losses: np.full_like(losses, 0.5)),
    "uw_so": each(lambda losses: softmax(1 / losses)),
    "imtl_l": each(np.ones_like),
    "gls": each(geometric),
    "stch": each(smooth_maximum),
    "famo": each(at_one_rate),
}
"""Expected gradients of the trunk's matrix for successive updates.

Learned parameters stay as they begin, since no optimiser steps and no epoch ends: UW is then half the plain sum, IMTL-L
and DWA are the plain sum itself, and FAMO is GLS but for the length. RGW is RLW in the trunk, for the same numbers.
"""


class DynamicWeights:
    """Liu, Johns & Davison 2019: weights of an epoch from the mean losses of the two before."""

    def __init__(self, temperature: float = 2.0) -> None:
        self.temperature = temperature
        self.means: list[Numbers] = []

    def weights(self) -> Numbers:
        if len(self.means) < 2:
            return np.ones(2)
        return 2 * softmax(self.means[-1] / self.means[-2] / self.temperature)


class Famo:
    """Liu et al. 2023, algorithm 2, with Adam written out."""

    def __init__(self, rate: float = 0.025, gamma: float = 1e-3) -> None:
        self.rate, self.gamma, self.step = rate, gamma, 0
        self.logits, self.mean, self.square = np.zeros((3, 2))

    def weights(self, losses: Numbers) -> Numbers:
        shares = softmax(self.logits) / losses
        return shares / shares.sum()

    def learn(self, before: Numbers, after: Numbers) -> None:
        shares, fall = softmax(self.logits), np.log(before / after)
        slope = shares * (fall - (shares * fall).sum()) + self.gamma * self.logits
        self.step += 1
        self.mean = 0.9 * self.mean + 0.1 * slope
        self.square = 0.999 * self.square + 0.001 * slope**2
        mean, square = self.mean / (1 - 0.9**self.step), self.square / (1 - 0.999**self.step)
        self.logits = self.logits - self.rate * mean / (np.sqrt(square) + 1e-8)
