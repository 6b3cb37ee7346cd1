"""Smooth Tchebycheff scalarisation: the worst of the losses, smoothed."""

from typing import Any

import torchjd.scalarization
from pydantic import PositiveFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.loss_weighting import LossWeighting


class STCH(LossWeighting):
    """A smooth maximum of the losses: the task that is worst off is followed most.

    ``mu log sum_t exp(L_t / (n mu))`` over the n tasks, so that ``w = softmax(L / (n mu)) / n``: Lin et al. 2024, arXiv
    2402.19078, with equal preferences 1/n and an ideal point of 0. Computed by TorchJD.

    This is the definition of the paper. It compares losses as they are: in other units (all losses times c are as mu
    over c, and one loss times c is another problem) other tasks are worst off, so losses are brought to a like size
    first, e.g. by ``training.height_unit``. The authors' code for networks is another function, free of units: n times
    the smooth maximum of the logarithms of the losses over their means in the fifth epoch, up to which it is the sum of
    the logarithms; its mu of 1 is the default here too.
    """

    paper = "Lin et al. 2024"

    class Options(Section):
        """How smooth the maximum is."""

        mu: PositiveFloat = 1.0
        """Towards 0 the worst task counts alone; the higher, the more even."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._maximum = torchjd.scalarization.STCH(options.mu)

    def total(self, losses: Tensor) -> Tensor:
        """Return the smooth maximum."""
        maximum: Tensor = self._maximum(losses)
        return maximum
