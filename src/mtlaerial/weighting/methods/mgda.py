"""The multiple-gradient descent algorithm, at the trunk's parameters or at its features."""

from typing import Literal

from torchjd.aggregation import MGDAWeighting

from mtlaerial.config import Section
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting


class MGDA(TorchJDWeighting):
    """The convex combination of the tasks' gradients that has the least norm: no task's loss rises along it.

    ``min_a ||sum_t a_t g_t||²`` with ``a >= 0`` and ``sum_t a_t = 1``: Désidéri 2012, doi 10.1016/j.crma.2012.03.014;
    Sener & Koltun 2018, arXiv 1810.04650, equation 3. Solved by TorchJD's Frank-Wolfe, whose one step is exact with two
    tasks.
    """

    paper = "Désidéri 2012; Sener & Koltun 2018"

    class Options(Section):
        """At the features the method has a name of its own, ``mgda_ub``."""

        level: Literal["parameters"] = "parameters"

    def solver(self) -> MGDAWeighting:
        """Return TorchJD's Frank-Wolfe."""
        return MGDAWeighting()


class MGDAUB(MGDA):
    """MGDA at the features, which bounds the norm of the trunk's gradient from above.

    Sener & Koltun 2018, arXiv 1810.04650, equation 6.
    """

    paper = "Sener & Koltun 2018"

    class Options(Section):
        """At the parameters the method has a name of its own, ``mgda``."""

        level: Literal["features"] = "features"
