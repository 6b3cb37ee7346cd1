"""Weights that never change: the baselines."""

from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.task_values import task_values


class Constant(LossWeighting):
    """``sum_t w_t L_t`` with constant weights w (linear scalarisation)."""

    family = "constant"
    ahead = True
    notes_losses = False
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
        self.weights = task_values(options.weights, tasks, "weighting fixed, key weights", "weight").float()
