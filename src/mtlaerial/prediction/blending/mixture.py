"""Blending of two overlapping outputs, and the variance that their disagreement adds."""

from collections.abc import Sequence

import torch
from torch import Tensor

Spreads = Sequence[tuple[int, int]]
"""Channels of values, and of their variance, that are blended as those of a mixture of distributions."""


def mix(before: Tensor, fresh: Tensor, share: Tensor, out: Tensor, spreads: Spreads = ()) -> None:
    """Write ``before + share * (fresh - before)`` to ``out``, which may be one of both.

    For a share s, values a and b and their variances, the variance of the mixture of both distributions is
    (1 - s) Var(a) + s Var(b) + s (1 - s) (b - a)^2. Mixtures of mixtures follow, one axis after the other, so that of
    windows with weights w, which add up to 1, it is sum(w Var) + sum(w (value - mean)^2).

    Parameters
    ----------
    before, fresh, out : Tensor, shape (channels, rows, columns)
    share : Tensor
        Of ``fresh``, 0-1, in a shape that broadcasts.
    spreads : Spreads
    """
    # By the difference of both values. The mean square less the squared mean would cancel: of heights of 100 m, float32
    # leaves 3 cm of it.
    between = [share * (1 - share) * (fresh[value] - before[value]).square() for value, _ in spreads]
    # lerp(a, b, share) = a + share * (b - a) is a where b == a, to the bit, and b where share is 1: an output that does
    # not depend on its window has no seams. A sum by weight, divided by the weights, would round, and need their array.
    torch.lerp(before, fresh, share, out=out)
    for (_, variance), added in zip(spreads, between, strict=True):
        out[variance] += added
