"""Impartial multi-task learning: losses of equal scale, learned."""

from typing import Any

import torchjd.scalarization

from mtlaerial.config import Task
from mtlaerial.weighting.learned import Learned


class IMTLL(Learned):
    """Learned scales bring all losses to the same size: the loss balance of IMTL alone.

    ``sum_t (exp(s_t) L_t - s_t)``, which is least in s where every ``exp(s_t) L_t`` is 1: Liu et al. 2021,
    https://openreview.net/forum?id=IMPnRXEWpvr. All s begin at 0, as the plain sum. Computed by TorchJD; s is learned
    by the network's optimiser, and does not move for a task without truth in a batch.

    It is twice :class:`~mtlaerial.weighting.uncertainty.UW` for log-variances of -s, so that the two have the same
    optimum and differ in where they begin and in the size of their gradients.
    """

    paper = "Liu et al. 2021"
    cost = "none; state: a learned scale per task"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self.module = torchjd.scalarization.IMTLL(len(tasks))
