"""The geometric mean of the losses."""

from torch import Tensor

from mtlaerial.weighting.loss_weighting import LossWeighting


class GLS(LossWeighting):
    """Geometric loss strategy: a loss counts by the percentage that it falls.

    ``(prod_t L_t)^(1/n)`` over the n tasks, so that w_t is the mean over ``n L_t``: Chennupati et al. 2019, arXiv
    1904.08492. Other units of a loss change the update's length, not its direction.
    """

    paper = "Chennupati et al. 2019"

    def total(self, losses: Tensor) -> Tensor:
        """Return the geometric mean."""
        return losses.log().mean().exp()
