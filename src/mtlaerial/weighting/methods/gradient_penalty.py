"""The plain sum with a penalty on the gradients with respect to the image."""

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from mtlaerial.config import Section
from mtlaerial.weighting.base import Pass, Step
from mtlaerial.weighting.methods.constant import Equal

TINY = 1e-12
"""Keeps the root's derivative finite where there is no gradient."""


class GradientPenalty(Equal):
    """Equal weights, and a penalty that draws the norm of each task's gradient with respect to a patch towards 1.

    Minimises ``sum_t (L_t + strength * mean_i (||dL_t/dx_i|| - 1)²)`` over the tasks t and the patches x_i, in [-1, 1]:
    the penalty of Gulrajani et al. 2017, arXiv 1704.00028, equation 3, on losses instead of a critic, as Carvalho et
    al. 2019, arXiv 1911.07543, use it (their implementation; strength 1).
    """

    family = "losses"
    paper = "Carvalho et al. 2019; Gulrajani et al. 2017"
    cost = "1 backward to the image per task, 1 through all of them"
    differentiates_image = True

    class Options(Section):
        """How much it counts."""

        strength: NonNegativeFloat = 1.0
        """Factor of the penalty."""

    def objective(self, part: Pass, weights: Tensor, step: Step) -> Tensor:
        """Return a pass's sum of the losses and the penalties."""
        penalties = [_penalty(loss, part, step) for loss in part.losses.values()]
        strength: float = self.options.strength
        return super().objective(part, weights, step) + strength * torch.stack(penalties).sum()


def _penalty(loss: Tensor, part: Pass, step: Step) -> Tensor:
    (gradient,) = torch.autograd.grad(step.scale(loss), part.image, create_graph=True)
    gradient = gradient.float() / step.scale(torch.ones_like(loss))  # scaled on its way through 16-bit floats alone
    squares = gradient.square().flatten(1).sum(dim=1)
    return ((squares + TINY).sqrt() - 1).square().sum() / step.patches
