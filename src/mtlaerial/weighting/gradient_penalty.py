"""The plain sum with a penalty on the gradient with respect to the image."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Step
from mtlaerial.weighting.scalarisation import Scalarisation


class GradientPenalty(Scalarisation):
    """Equal weights, and the squared norm of the image's gradient kept small.

    Minimises ``L + strength * mean over patches of ||dL_i/dx_i||²``, where L is the sum of the losses, L_i that of a
    patch and x_i the patch in [-1, 1]: double backpropagation (Drucker & LeCun 1992, doi 10.1109/72.165600). Carvalho
    et al. 2019 have an input-gradient penalty among their strategies; its exact form is not published, so this is ours.

    Costs two backward passes, the second through the first: several times the time and memory of a plain sum.

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
        """Return the sum of the losses and the penalty."""
        total = super().total(step, weights)
        (gradient,) = torch.autograd.grad(total, step.image, create_graph=True)
        patches = len(step.image)  # the loss is a mean over patches: a patch's own gradient is that many times larger
        penalty = (patches * gradient.float()).square().flatten(1).sum(dim=1).mean()
        return total + self.strength * penalty
