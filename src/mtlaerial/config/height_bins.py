"""Names of the bins of heights that scores and calibrations are divided by."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def bin_names(edges: Sequence[float]) -> list[str]:
    """Return the names of the bins between inner edges in metres.

    Examples
    --------
    >>> bin_names([2.0, 10.0])
    ['below 2 m', '2-10 m', 'from 10 m']
    """
    return [_bin_name(low, high) for low, high in pairwise((-np.inf, *edges, np.inf))]


def _bin_name(low: float, high: float) -> str:
    if np.isinf(low):
        return f"below {high:g} m"
    return f"from {low:g} m" if np.isinf(high) else f"{low:g}-{high:g} m"
