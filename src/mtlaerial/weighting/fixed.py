"""Weights that never change; equal weights are the case of all being 1."""

from collections.abc import Mapping

from torch import Tensor

from mtlaerial.weighting.base import Weighting


class Fixed(Weighting):
    """A sum with constant weights (linear scalarisation).

    Kurin et al. 2022, arXiv 2201.04122, and Xin et al. 2022, arXiv 2209.11379, find it hard to beat when tuned.

    Parameters
    ----------
    by_task : mapping of task to float
        The weights.
    """

    def __init__(self, by_task: Mapping[str, float]) -> None:
        self.by_task = dict(by_task)

    def weights(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the constant weights."""
        return self.by_task
