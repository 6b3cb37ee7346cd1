"""Coverage and mean width of height intervals, from sums per group of cells."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.scoring.metrics import ratio_of

SUMS = ("cells", "bounded", "covered", "width")
"""Per group: number of cells with a true height; of those with both bounds; of those within them; sum of the widths."""


def interval_sums(
    true: NDArray[np.float32],
    lower: NDArray[np.float32],
    upper: NDArray[np.float32],
    groups: NDArray[np.integer],
    number: int,
) -> NDArray[np.float64]:
    """Sum cells, hits and widths of intervals of one level per group of cells.

    Parameters
    ----------
    true : array of float32, metres
        Cells whose truth is NaN are left out.
    lower, upper : array of float32, metres
        Bounds, which belong to the interval. A cell without either (NaN) counts as not covered, and has no width.
    groups : array of int
        Group of each cell; those outside 0 … number - 1 are left out.
    number : int
        Number of groups.

    Returns
    -------
    array, shape (number, len(SUMS))
    """
    scored = np.isfinite(true) & (groups >= 0) & (groups < number)
    group = groups[scored].astype(np.int64)
    h = true[scored].astype(np.float64)
    low, high = lower[scored].astype(np.float64), upper[scored].astype(np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    covered = bounded & (low <= h) & (h <= high)
    columns = (np.ones_like(h), bounded, covered, np.where(bounded, high - low, 0.0))
    return np.stack([np.bincount(group, weights=column, minlength=number) for column in columns], axis=1)


def coverage_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the coverage as a fraction of the cells, and the mean width in metres; NaN without cells.

    Parameters
    ----------
    sums : array, shape (..., len(SUMS))

    Returns
    -------
    dict of score to array, shape (...)
    """
    cells, bounded, covered, width = np.moveaxis(sums, -1, 0)
    return {"coverage": ratio_of(covered, cells), "width": ratio_of(width, bounded)}
