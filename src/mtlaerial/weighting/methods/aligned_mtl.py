"""Aligned-MTL: gradients that are made orthogonal and equally long."""

from typing import Any, Literal

import torch
from torch import Tensor
from torchjd.aggregation import AlignedMTLWeighting

from mtlaerial.config import Task
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.task_values import PreferenceOptions, preference_shares
from mtlaerial.weighting.weight_reuse import CostlyOptions

RANK = torch.finfo(torch.float64).eps
"""Times the number of tasks: squared singular values below it, against the largest, are 0 for TorchJD."""


class AlignedMTL(GramianWeighting):
    """The sum of the nearest gradients that are orthogonal and equally long.

    ``w = scale V diag(1 / s) V' p`` for the inner products ``V diag(s²) V'``, so that all singular values s become the
    scale: Senushkin et al. 2023, arXiv 2305.19000, algorithm 1 (Aligned-MTL at the parameters; Aligned-MTL-UB at the
    features). p are the preferences, by default all 1 as in the authors' code and LibMTL; others add up to n as well.
    A loss may rise: the update agrees with the orthogonal gradients, not with the tasks' own. Solved by TorchJD.

    Where gradients depend on each other a scale that is the least s tends to 0, and the update with it: that limit is
    taken. (Algorithm 1 leaves out singular values of 0 instead, so that the update jumps from 0 to the length of the
    gradients.) With another scale directions without a gradient are left out.
    """

    paper = "Senushkin et al. 2023"

    class Options(CostlyOptions, PreferenceOptions):
        """The level of the gradients, their new length, the tasks' preferences, and how often weights are computed."""

        scale: Literal["min", "median", "rmse"] = "min"
        """The least singular value, the lower median (the same with two tasks), or the root of their mean square."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._shares = preference_shares(options.preferences, tasks, "aligned_mtl")

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of a sum, not of a mean."""
        shares, number = self._shares[active], len(gramian)
        shares, products = shares / shares.sum(), gramian / gramian.trace()  # small gradients are no gradients else
        squares, axes = torch.linalg.eigh(products)  # in rising order
        null = squares <= squares.max() * number * RANK
        if self._null_is_the_scale(null):
            # scale / s tends to 1 along the directions in which s is the scale, and to 0 along the others.
            weights: Tensor = axes[:, null] @ (axes[:, null].T @ shares)
        else:
            weights = AlignedMTLWeighting(shares, self.options.scale)(products)
        return number * weights

    def _null_is_the_scale(self, null: Tensor) -> bool:
        """Return whether the singular value that is the scale is 0; the lower one of two medians."""
        position = {"min": 0, "median": (len(null) - 1) // 2}.get(self.options.scale)
        return position is not None and bool(null[position])
