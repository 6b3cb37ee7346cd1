"""ConFIG: the direction that agrees equally with all gradients."""

from typing import Any

from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.cosine_balance import balanced, polar
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.task_values import PreferenceOptions, preference_shares
from mtlaerial.weighting.weight_reuse import CostlyOptions


class ConFIG(GramianWeighting):
    """The direction that has the same cosine with all gradients, as long as their projections on it add up to.

    ``d = (sum_t g_t . u) u`` with u along ``pinv(U) p``, U the gradients of length 1 as rows: Liu et al. 2024, arXiv
    2408.11104, equation 2, published at the parameters. p are the preferences, to which the cosines are in proportion.
    With two tasks and equal ones u halves the angle between the gradients, as for ``IMTLG`` and ``NashMTL``: the three
    differ in length alone. Where gradients depend on each other, the limit is taken, as for IMTL-G.
    """

    paper = "Liu et al. 2024"

    class Options(CostlyOptions, PreferenceOptions):
        """The level of the gradients, the tasks' preferences, and how often weights are computed."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._shares = preference_shares(options.preferences, tasks, "config")

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights that give the direction its length."""
        lengths, cosines = polar(gramian)
        shares = self._shares[active]
        units = balanced(cosines, shares)
        # With C v = p: u = U' v / sqrt(v' p), and the projections on it add up to (lengths' p) / sqrt(v' p).
        return units * (lengths @ shares) / (units @ shares) / lengths
