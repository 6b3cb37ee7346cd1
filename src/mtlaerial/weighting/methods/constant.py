"""Weights that never change: the baselines."""

from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.errors import ConfigError
from mtlaerial.weighting.loss_weighting import LossWeighting


class Constant(LossWeighting):
    """``sum_t w_t L_t`` with constant weights w (linear scalarisation)."""

    family = "constant"
    ahead = True
    weights: Tensor

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum."""
        return (self.weights * losses).sum()

    def to(self, device: torch.device) -> None:
        """Move the weights: a copy in each step would wait for the device."""
        super().to(device)
        self.weights = self.weights.to(device)


class Equal(Constant):
    """``sum_t L_t``: the plain sum.

    Kurin et al. 2022, arXiv 2201.04122, and Xin et al. 2022, arXiv 2209.11379, find sums hard to beat when regularised
    and scaled as well as the methods that are compared with them.
    """

    paper = "plain sum"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self.weights = torch.ones(len(tasks))


class Fixed(Constant):
    """``sum_t w_t L_t`` with weights of one's choice; see :class:`Equal`.

    Raises
    ------
    ConfigError
        When there is not exactly a weight for each task.
    """

    paper = "weighted sum"

    class Options(Section):
        """The weight of each task."""

        weights: dict[Task, float]
        """By task; all positive."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        if set(options.weights) != set(tasks) or min(options.weights.values()) <= 0:
            given = ", ".join(f"{task} {weight:g}" for task, weight in options.weights.items()) or "none"
            expected = f"a positive weight for exactly the tasks {', '.join(tasks)}"
            raise ConfigError("weighting fixed, key weights", given, expected, "Correct the weights.")
        self.weights = torch.tensor([float(options.weights[task]) for task in tasks])
