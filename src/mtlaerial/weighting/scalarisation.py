"""Weightings that minimise one weighted sum of the losses: one backward pass, as for a single task."""

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Step, Weighting


class Scalarisation(Weighting):
    """A weighted sum of the losses, for the heads as for the trunk."""

    @abstractmethod
    def weights(self, losses: Mapping[Task, Tensor]) -> Tensor:
        """Return the weight of each loss in this step, shape (tasks,)."""

    def total(self, step: Step, weights: Tensor) -> Tensor:
        """Return what is minimised, a scalar."""
        return (weights * torch.stack(list(step.losses.values()))).sum()

    def backward(self, step: Step) -> Tensor:
        """Run one backward pass over the weighted sum."""
        weights = self.weights(step.losses)
        step.scale(self.total(step, weights)).backward()  # type: ignore[no-untyped-call]  # torch's own
        return weights


class Fixed(Scalarisation):
    """A sum with constant weights (linear scalarisation); equal weights are the case of all being 1.

    Kurin et al. 2022, arXiv 2201.04122, and Xin et al. 2022, arXiv 2209.11379, find it hard to beat when tuned.

    Parameters
    ----------
    by_task : mapping of task to float
        The weights.
    """

    def __init__(self, by_task: Mapping[Task, float]) -> None:
        self.by_task = dict(by_task)

    def weights(self, losses: Mapping[Task, Tensor]) -> Tensor:
        """Return the constant weights."""
        device = next(iter(losses.values())).device
        return torch.tensor([self.by_task[task] for task in losses], device=device)
