"""The multiple-gradient descent algorithm, at the trunk's parameters or at its features."""

from typing import Literal

import torch
from torch import Tensor
from torchjd.aggregation import MGDAWeighting

from mtlaerial.config import Section
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions

LEAST = 1e-12
"""Losses count as no less where gradients are divided by them."""


class NormalisedOptions(Section):
    """What gradients are divided by before their weights are sought."""

    normalisation: Literal["none", "l2", "loss", "loss+"] = "none"
    """``l2``: each one's norm; ``loss``: its loss; ``loss+``: their product. The weights then apply to the gradients as
    they are, as in the authors' code, which has all four; the paper has ``none``."""


class MGDA(TorchJDWeighting):
    """The convex combination of the tasks' gradients that has the least norm: no task's loss rises along it.

    ``min_a ||sum_t a_t g_t / c_t||²`` with ``a >= 0`` and ``sum_t a_t = 1``; the divisors c are 1 unless a
    ``normalisation`` is chosen: Désidéri 2012, doi 10.1016/j.crma.2012.03.014; Sener & Koltun 2018, arXiv 1810.04650,
    equation 3. Solved by TorchJD's Frank-Wolfe, whose one step is exact with two tasks. Without normalisation the task
    with the smallest gradient has nearly all the weight where sizes differ; with one, a loss may rise.
    """

    paper = "Désidéri 2012; Sener & Koltun 2018"

    class Options(CostlyOptions, NormalisedOptions):
        """At the features the method has a name of its own, ``mgda_ub``."""

        level: Literal["parameters"] = "parameters"

    def solver(self) -> MGDAWeighting:
        """Return TorchJD's Frank-Wolfe."""
        return MGDAWeighting()

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights of least norm of the normalised gradients."""
        if self.options.normalisation == "none":
            return super().weights(gramian, losses, active)
        divisors = self._divisors(gramian.diagonal().sqrt(), losses)
        return super().weights(gramian / divisors / divisors[:, None], losses, active)

    def _divisors(self, norms: Tensor, losses: Tensor) -> Tensor:
        sizes = losses.abs().clamp(min=LEAST)  # a loss such as a negative log-likelihood may be below 0
        divisors = {"l2": norms, "loss": sizes, "loss+": sizes * norms}[self.options.normalisation]
        # Only ratios count: the solver sees numbers of a like size.
        return divisors / torch.exp(divisors.log().mean())


class MGDAUB(MGDA):
    """MGDA at the features, which bounds the norm of the trunk's gradient from above.

    Sener & Koltun 2018, arXiv 1810.04650, equation 6.
    """

    paper = "Sener & Koltun 2018"

    class Options(NormalisedOptions):
        """At the parameters the method has a name of its own, ``mgda``."""

        level: Literal["features"] = "features"
