"""Sizes of stratified samples: the whole sample, and its allocation to the mapped classes."""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtlaerial.errors import ConfigError


def sample_size(counts: NDArray[np.int64], users: Sequence[float], standard_error: float) -> int:
    """Return the number of points for a standard error of the overall accuracy, if they were allocated optimally.

    Parameters
    ----------
    counts : array, shape (classes,)
        Pixels of each mapped class.
    users : sequence of float, shape (classes,)
        User's accuracy that is expected of each class, 0 to 1.
    standard_error : float
        Standard error that is aimed at, as a fraction.

    Notes
    -----
    Olofsson et al. 2014 (doi 10.1016/j.rse.2014.02.015), eq. 13, with the shares W of the mapped classes and
    S = √(U (1 - U)):

        n = (Σ W S)² / (S(O)² + Σ W S² / N)

    Examples
    --------
    >>> sample_size(np.array([200_000, 150_000, 3_200_000, 6_450_000]), [0.7, 0.6, 0.9, 0.95], 0.01)
    641
    """
    total = int(counts.sum())
    shares, deviations = counts / total, np.sqrt(np.array(users) * (1 - np.array(users)))
    variance = standard_error**2 + float((shares * deviations**2).sum()) / total
    return int(np.ceil(float((shares * deviations).sum()) ** 2 / variance))


def expected_error(sizes: NDArray[np.int64], counts: NDArray[np.int64], users: Sequence[float]) -> float:
    """Return the standard error of the overall accuracy that a sample is expected to give.

    Parameters
    ----------
    sizes, counts : array of int64, shape (classes,)
        Points and pixels of each mapped class. One with a point on each of its pixels has no sampling error.
    users : sequence of float, shape (classes,)
        User's accuracy that is expected of each class, 0 to 1.

    Notes
    -----
    Olofsson et al. 2014, eq. 5, whose expectation over samples of n points has n for n - 1: √(Σ W² U (1 - U) / n).
    """
    sampled = sizes < counts
    shares, right = (counts / counts.sum())[sampled], np.array(users)[sampled]
    return math.sqrt(float((shares**2 * right * (1 - right) / sizes[sampled]).sum()))


def allocate_for_error(
    counts: NDArray[np.int64], users: Sequence[float], standard_error: float, minimum: int
) -> NDArray[np.int64]:
    """Return the number of points of each class for a standard error of the overall accuracy.

    They are as few as :func:`allocate` reaches it with. It does not allocate optimally, as :func:`sample_size` assumes.

    Parameters
    ----------
    counts : array of int64, shape (classes,)
        Pixels of each mapped class.
    users : sequence of float, shape (classes,)
        User's accuracy that is expected of each class, 0 to 1.
    standard_error : float
        Largest expected standard error, as a fraction.
    minimum : int
        Least number of points of a class.

    Examples
    --------
    >>> pixels, users = np.array([200_000, 150_000, 3_200_000, 6_450_000]), [0.7, 0.6, 0.9, 0.95]
    >>> allocate_for_error(pixels, users, 0.01, 75).tolist()
    [75, 75, 194, 391]
    """
    fewest = max(sample_size(counts, users, standard_error), int(np.minimum(minimum, counts).sum()))
    totals = range(fewest, int(counts.sum()) + 1)

    def suffices(total: int) -> bool:
        return expected_error(allocate(total, counts, minimum), counts, users) <= standard_error

    return allocate(totals[bisect_left(totals, True, key=suffices)], counts, minimum)


def allocate(total: int, counts: NDArray[np.int64], minimum: int) -> NDArray[np.int64]:
    """Return the number of points of each class: in proportion to its pixels, and at least a minimum.

    Parameters
    ----------
    total : int
        Number of points.
    counts : array of int64, shape (classes,)
        Pixels of each mapped class; one without pixels gets no points.
    minimum : int
        Least number of points of a class; one with fewer pixels gets a point on each.

    Raises
    ------
    ConfigError
        When the minima of all classes are more than the total, or the total is more than there are pixels.

    Notes
    -----
    Olofsson et al. 2014, section 5.1.2: rare classes get a fixed number, the other points are shared in proportion to
    area. Fractions are rounded by largest remainder.

    Examples
    --------
    >>> allocate(640, np.array([200_000, 150_000, 3_200_000, 6_450_000]), 75).tolist()
    [75, 75, 162, 328]
    """
    least = np.minimum(minimum, counts)
    if least.sum() > total:
        expected = f"at least {least.sum()}: {minimum} for each of {(counts > 0).sum()} mapped classes"
        raise ConfigError("--points", str(total), expected, "Raise it, or lower --minimum.")
    if total > counts.sum():
        raise ConfigError("--points", str(total), f"at most the {counts.sum()} mapped pixels", "Lower it.")
    sizes = np.where(counts > 0, least, 0)
    free = counts > 0
    while free.any():
        # As a float: of a search among totals of a large map, the product is beyond int64.
        shares = float(total - sizes[~free].sum()) * counts / counts[free].sum()
        rare = free & (shares < least)
        if not rare.any():
            sizes[free] = _rounded(shares[free])
            break
        free &= ~rare
    return sizes


def _rounded(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole numbers with the sum of the shares, by largest remainder; the first of equal ones comes first."""
    whole = np.floor(shares + 1e-9).astype(np.int64)
    missing = round(float(shares.sum())) - int(whole.sum())
    whole[np.argsort(whole - shares, kind="stable")[:missing]] += 1
    return whole
