"""The plain sum with a penalty on the gradients with respect to the image."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Step
from mtlaerial.weighting.scalarisation import Scalarisation

TINY = 1e-12
"""Keeps the root's derivative finite where there is no gradient."""


class GradientPenalty(Scalarisation):
    """Equal weights, and a penalty that draws the norm of each task's gradient with respect to a patch towards 1.

    Minimises ``sum_t (L_t + strength * mean_i (||dL_t/dx_i|| - 1)²)`` over the tasks t and the patches x_i, in [-1, 1]:
    the penalty of Gulrajani et al. 2017, arXiv 1704.00028, equation 3, on losses instead of a critic, as Carvalho et
    al. 2019, arXiv 1911.07543, use it (their implementation; strength 1).

    Costs a backward pass per task and one through all of them: several times the time and memory of a plain sum.

    Parameters
    ----------
    strength : float
    """

    differentiates_image = True

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def weights(self, losses: Mapping[Task, Tensor]) -> Tensor:
        """Return ones."""
        return torch.ones(len(losses), device=next(iter(losses.values())).device)

    def total(self, step: Step, weights: Tensor) -> Tensor:
        """Return the sum of the losses and the penalties."""
        penalties = [_penalty(loss, step) for loss in step.losses.values()]
        return super().total(step, weights) + self.strength * torch.stack(penalties).sum()


def _penalty(loss: Tensor, step: Step) -> Tensor:
    (gradient,) = torch.autograd.grad(step.scale(loss), step.image, create_graph=True)
    gradient = gradient.float() / step.scale(torch.ones_like(loss))  # scaled on its way through 16-bit floats alone
    squares = gradient.square().flatten(1).sum(dim=1)
    return ((squares + TINY).sqrt() - 1).square().mean()
