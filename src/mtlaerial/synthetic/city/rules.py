"""Choice among the uses of a block by rules, of which the first that holds decides."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Use = Callable[..., Any]
"""Function that draws a use."""


def first_that_holds(
    rules: Sequence[tuple[NDArray[np.bool_], Use]], uses: Sequence[Use], default: Use
) -> NDArray[np.uint8]:
    """Return the use of the first rule that holds at each place, as an index of some uses.

    Parameters
    ----------
    rules : sequence of (condition, use)
        Conditions have one shape, which the result has.
    uses : sequence of callable
    default : callable
        The use where no rule holds.

    Examples
    --------
    >>> rules = [(np.array([True, False, False]), max), (np.array([True, True, False]), min)]
    >>> first_that_holds(rules, (abs, min, max), abs).tolist()
    [2, 1, 0]
    """
    conditions = [condition for condition, _ in rules]
    indices = [np.uint8(uses.index(use)) for _, use in rules]
    return np.asarray(np.select(conditions, indices, np.uint8(uses.index(default))), np.uint8)
