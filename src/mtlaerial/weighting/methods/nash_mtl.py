"""Nash-MTL: the update that the tasks would agree on as bargainers."""

from pydantic import NonNegativeFloat

from mtlaerial.weighting.methods.fairgrad import FairGrad
from mtlaerial.weighting.weight_reuse import CostlyOptions


class NashMTL(FairGrad):
    """The Nash bargaining solution: the direction with the greatest product of the rates at which the losses fall.

    ``max_d sum_t log(g_t . d)`` in a ball is ``d = sum_t w_t g_t`` with ``G w = 1 / w`` element by element, G the inner
    products: Navon et al. 2022, arXiv 2202.01017, algorithm 1, published at the parameters. That is ``FairGrad`` for
    alpha = 1, and solved like it: weights agree with the exact ones to 1e-5. The authors' iteration, which LibMTL and
    TorchJD have as well, begins at the last solution, and misses by as much as the weights themselves where gradients
    are small (norms of 1e-3) or differ (by 1e4). Here weights follow from each batch alone, and nothing is kept.

    The solution has the length sqrt(n) whatever the gradients' is, n the number of tasks that take part; like the
    authors' code it is then shortened to ``max_norm``. With two tasks it halves the angle between their gradients, as
    ``IMTLG`` and ``ConFIG`` do: the three differ in length alone.
    """

    paper = "Navon et al. 2022"

    class Options(CostlyOptions):
        """The level of the gradients, and the largest length of the update."""

        max_norm: NonNegativeFloat = 1.0
        """Greatest norm of the trunk's gradient, or of the features' at that level; 0 for none."""

    def fairness(self) -> float:
        """Return 1: proportional fairness."""
        return 1.0
