"""A strip of maps: some rows of a region over its whole width, as whole numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import IGNORED

NO_CLASS = IGNORED
"""Code of pixels without a class, and of those that no map covers."""
NO_VALUE = np.iinfo(np.int32).min
"""Height or probability of pixels without one."""
PER_METRE = 100
"""Steps of heights per metre."""
PER_UNIT = 1_000_000
"""Steps of probabilities from 0 to 1."""


class Strip(NamedTuple):
    """Rows of a region. Whole numbers add up to the same sums in any order, so that results do not depend on strips.

    Attributes
    ----------
    row : int
        The first row, counted from the top of the region.
    codes : array of uint8, shape (rows, columns)
        Codes of classes; ``NO_CLASS`` without one.
    heights : array of int32, shape (rows, columns), centimetres
        Not below 0; ``NO_VALUE`` without one.
    probabilities : array of int32, shape (rows, columns), optional
        Millionths of the probability of the pixel's own class; ``NO_VALUE`` without one.
    violations : array of uint8, shape (rows, columns), optional
        0 where no rule between tasks is broken, ``IGNORED`` where none can be, else another number.
    """

    row: int
    codes: NDArray[np.uint8]
    heights: NDArray[np.int32]
    probabilities: NDArray[np.int32] | None = None
    violations: NDArray[np.uint8] | None = None
