"""Weights that are drawn anew for each step."""

from typing import Any

import torch
from torch import Tensor
from torchjd.aggregation import RandomWeighting

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.torchjd_adapter import drawing_from


class RLW(LossWeighting):
    """Random loss weighting.

    ``sum_t w_t L_t`` with w the softmax of a standard normal number per task, drawn for each step: Lin et al. 2022,
    arXiv 2111.10603. Drawn on the CPU, from the step's generator.
    """

    paper = "Lin et al. 2022"
    ahead = True
    notes_losses = False

    def total(self, losses: Tensor) -> Tensor:
        """Return the weighted sum for weights drawn now."""
        weights = torch.randn(len(losses), generator=self.step.generator).softmax(dim=0)
        return (weights.to(losses.device, non_blocking=True) * losses).sum()


class RGW(GramianWeighting):
    """Random gradient weighting: :class:`RLW` for the trunk, while each head follows its own task's loss.

    ``sum_t w_t g_t`` with w the softmax of a standard normal number per task that takes part, drawn for each step: Lin
    et al. 2022, arXiv 2111.10603. Nothing depends on the gradients, so that both levels give the same update; the
    cheaper one is the default. The trunk's is that of RLW for the same numbers. Drawn by TorchJD.
    """

    paper = "Lin et al. 2022"

    class Options(Section):
        """Both levels give the same update."""

        level: Level = "features"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._draw = RandomWeighting()

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return weights drawn now, which add up to 1."""
        with drawing_from(self.step.generator):
            weights: Tensor = self._draw(gramian)
        return weights
