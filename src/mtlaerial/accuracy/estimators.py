"""Estimators of areas and accuracies from a stratified sample, by Olofsson et al. 2014.

Numbers of equations are those of "Good practices for estimating area and assessing accuracy of land change", Remote
Sensing of Environment 148, 42-57, doi 10.1016/j.rse.2014.02.015.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """Estimates and their standard errors, shape (classes,) or ()."""

    values: Values
    errors: Values

    def interval(self, level: float) -> tuple[Values, Values]:
        """Return lower and upper bounds of the normal interval of a level (eq. 12 for 95 %)."""
        half = norm.ppf((1 + level) / 2) * self.errors
        return self.values - half, self.values + half


@dataclass(frozen=True)
class MapAccuracy:
    """Accuracies of a map as fractions, and areas in the unit of the mapped areas.

    Attributes
    ----------
    counts : array, shape (classes, classes)
        Points by mapped class (rows) and reference class (columns).
    mapped_areas : array, shape (classes,)
    shares : array, shape (classes, classes)
        Estimated share of the area by mapped and reference class (eq. 4).
    overall, users, producers, areas : Estimate
        NaN where there is none: the user's accuracy of a class that is not mapped, the producer's of one that no point
        has.
    """

    counts: NDArray[np.int64]
    mapped_areas: Values
    shares: Values
    overall: Estimate
    users: Estimate
    producers: Estimate
    areas: Estimate


def estimate_accuracy(counts: NDArray[np.int64], mapped_areas: Values, complete: NDArray[np.bool_]) -> MapAccuracy:
    """Estimate accuracies and areas from the points of a stratified random sample whose strata are the mapped classes.

    Parameters
    ----------
    counts : array of int, shape (classes, classes)
        Points by mapped class (rows) and reference class (columns).
    mapped_areas : array, shape (classes,)
        Area of each mapped class, in any unit; 0 for a class that is not mapped, which has no points.
    complete : array of bool, shape (classes,)
        Strata of which every pixel has a point: they have no sampling error. All other mapped ones need two points.

    Notes
    -----
    A class that is not mapped anywhere has an area and a producer's accuracy all the same, where points have it as
    their reference.
    """
    points = counts.sum(axis=1)
    weights = mapped_areas / mapped_areas.sum()
    within = np.divide(counts, points[:, None], out=np.zeros(counts.shape), where=points[:, None] > 0)
    shares = weights[:, None] * within  # eq. 4
    # The variance of each share within its stratum; 1 / (n - 1) is the factor of eqs. 5, 6, 7 and 10.
    factors = np.divide(1.0, points - 1, out=np.zeros(len(points)), where=(points > 1) & ~complete)
    variances = within * (1 - within) * factors[:, None]
    users = np.where(weights > 0, within.diagonal(), np.nan)  # eq. 2
    overall = Estimate(shares.trace(), np.sqrt((weights**2 * variances.diagonal()).sum()))  # eqs. 1 and 5
    total = mapped_areas.sum()
    areas = shares.sum(axis=0) * total  # eqs. 9 and 11
    area_errors = np.sqrt((weights[:, None] ** 2 * variances).sum(axis=0)) * total  # eqs. 10 and 11
    return MapAccuracy(
        counts=counts,
        mapped_areas=mapped_areas,
        shares=shares,
        overall=overall,
        users=Estimate(users, np.where(weights > 0, np.sqrt(variances.diagonal()), np.nan)),  # eq. 6
        producers=_producers(shares, weights, variances),
        areas=Estimate(areas, area_errors),
    )


def _producers(shares: Values, weights: Values, variances: Values) -> Estimate:
    """Return the producer's accuracies (eqs. 3 and 7); areas are divided by the whole, which cancels in eq. 7."""
    references = shares.sum(axis=0)
    there = references > 0
    values = np.divide(shares.diagonal(), references, out=np.full(len(references), np.nan), where=there)
    omitted = weights[:, None] ** 2 * variances
    np.fill_diagonal(omitted, 0)
    correct = weights**2 * (1 - values) ** 2 * variances.diagonal()
    squares = correct + values**2 * omitted.sum(axis=0)
    errors = np.divide(np.sqrt(squares), references, out=np.full(len(references), np.nan), where=there)
    return Estimate(values, errors)
