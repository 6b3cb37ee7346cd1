"""Verdict on a difference: better, worse, equivalent within a margin, or inconclusive."""

from typing import Literal

from mtlaerial.reporting.inference.intervals import CONFIDENCE

Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


def confidence_of_each(comparisons: int) -> float:
    """Return the confidence of each of some intervals with which all hold together (Bonferroni).

    A verdict that is read from such intervals, of whatever kind, is wrong in at most 5 % of the tables. Holm's method,
    which tells more differences once one is told, has no intervals and no verdict "equivalent"; the smallest effect
    that a table can tell is the same.

    Examples
    --------
    >>> f"{confidence_of_each(5):.3f}"
    '0.990'
    """
    return 1 - (1 - CONFIDENCE) / max(comparisons, 1)


def verdict_of(low: float, high: float, margin: float) -> Verdict:
    """Return the verdict that an interval gives.

    Parameters
    ----------
    low, high : float
        Ends of the confidence interval of a difference; positive is better.
    margin : float
        Differences up to it do not matter. An interval within the margins says so (two one-sided tests: Schuirmann
        1987, doi 10.1007/BF01068419).

    Examples
    --------
    >>> verdict_of(0.01, 0.05, 0.02), verdict_of(-0.01, 0.015, 0.02), verdict_of(-0.01, 0.05, 0.02)
    ('better', 'equivalent', 'inconclusive')
    """
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "equivalent" if -margin < low and high < margin else "inconclusive"
