"""ConFIG: the direction that agrees equally with all gradients."""

from typing import Any

import torch
from torch import Tensor
from torchjd.aggregation import ConFIG as Direction

from mtlaerial.config import Task
from mtlaerial.weighting.gradient_weighting import GramianWeighting
from mtlaerial.weighting.torchjd_weighting import polar


class ConFIG(GramianWeighting):
    """The direction that has the same cosine with all gradients, as long as their projections on it add up to.

    ``d = (sum_t g_t . u) u`` with u along ``pinv(U) 1``, U the gradients of length 1 as rows: Liu et al. 2024, arXiv
    2408.11104, equation 2, published at the parameters. With two tasks u halves the angle between the gradients, as for
    ``IMTLG`` and ``NashMTL``: the three differ in length alone. By TorchJD.
    """

    paper = "Liu et al. 2024"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._direction = Direction()

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights, found for short vectors that have the gradients' inner products."""
        lengths, cosines = polar(gramian)
        # ConFIG takes vectors; any with these inner products have the same weights: V sqrt(L) for cosines V L V'.
        squares, axes = torch.linalg.eigh(cosines)
        units = axes * squares.clamp(min=0).sqrt()
        update: Tensor = self._direction(lengths[:, None] * units)
        weights: Tensor = torch.linalg.lstsq(units.T, update[:, None], driver="gelsd").solution[:, 0]
        return weights / lengths
