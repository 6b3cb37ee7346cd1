"""Error-retention curves and AUSE, from sums over bins: cells ordered by uncertainty, held against their errors."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.scoring.metrics import ratio_of

PER_DECADE = 16
"""Bins of a factor of ten: within one, uncertainties differ by 15 % at most."""
EDGES = np.geomspace(1e-7, 1e3, 10 * PER_DECADE + 1)
"""Inner edges of the bins of uncertainty and of error, in their unit. Entropies of confident networks are tiny."""
BINS = len(EDGES) + 1
SUMS = ("cells", "absolute", "squared")
"""Per bin: number of cells, sums of |e| and e²."""
ORDERS = ("uncertainty", "error")
"""What cells are ordered by: the predictor's uncertainty, and the oracle's, their error."""
RETAINED = (np.arange(100) + 0.5) / 100
"""Shares of the cells, the most certain ones, at which curves are evaluated: the midpoints of 100 equal steps."""


def retention_sums(error: NDArray[np.floating], uncertainty: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sum errors by bin of uncertainty, and by bin of their own size.

    Parameters
    ----------
    error : array
        Metres, or 1 for a wrong and 0 for a right class; NaN for cells that are left out.
    uncertainty : array
        At least 0, in any unit, of the same shape. A cell with an error and without an uncertainty (NaN) counts as the
        most uncertain.

    Returns
    -------
    array, shape (len(ORDERS), BINS, len(SUMS))
    """
    scored = np.isfinite(error)
    e = abs(error[scored].astype(np.float64))
    columns = (np.ones_like(e), e, e**2)
    sums = []
    for order in (uncertainty[scored].astype(np.float64), e):
        bins = np.digitize(np.where(np.isnan(order), np.inf, order), EDGES)
        sums.append(np.stack([np.bincount(bins, weights=column, minlength=BINS) for column in columns], axis=1))
    return np.stack(sums)


def retention_curve(sums: NDArray[np.float64], score: str) -> NDArray[np.float64]:
    """Return the error of the most certain cells, by their share.

    Parameters
    ----------
    sums : array, shape (BINS, len(SUMS))
        In one order.
    score : str
        ``MAE`` or ``RMSE``.

    Returns
    -------
    array, shape (len(RETAINED),)
        NaN without cells.

    Notes
    -----
    Cells of a bin count as in random order: their sums are interpolated over the share of the cells.
    """
    total = sums[:, 0].sum()
    if not total:
        return np.full(len(RETAINED), np.nan)
    share = np.concatenate([[0.0], np.cumsum(sums[:, 0]) / total])
    column = "squared" if score == "RMSE" else "absolute"
    errors = np.concatenate([[0.0], np.cumsum(sums[:, SUMS.index(column)])])
    # Empty bins repeat a share, of which interpolation takes one: all of them have the same sum.
    means: NDArray[np.float64] = np.interp(RETAINED, share, errors) / (RETAINED * total)
    if score == "RMSE":
        means = np.sqrt(means)
    return means


def sparsification_error(sums: NDArray[np.float64], score: str) -> float:
    """Return the area under the sparsification error (AUSE); 0 for an uncertainty that orders cells as their errors do.

    Parameters
    ----------
    sums : array, shape (len(ORDERS), BINS, len(SUMS))
    score : str
        ``MAE`` or ``RMSE``; of classes, ``MAE`` is the share of wrong pixels.

    Returns
    -------
    float
        NaN without cells, or without any error.

    Notes
    -----
    Ilg et al. 2018 (arXiv 1802.07796): the area between the curves by uncertainty and by true error, both divided by
    the error of all cells. Here from bins: ties within a factor of 1.15 are broken at random.
    A constant uncertainty has the area of an order by chance, which depends on the errors alone.
    """
    by_uncertainty, by_error = (retention_curve(order, score) for order in sums)
    total = sums[0].sum(axis=0)
    whole = ratio_of(total[SUMS.index("squared" if score == "RMSE" else "absolute")], total[0])
    error = np.sqrt(whole) if score == "RMSE" else whole
    return float(ratio_of((by_uncertainty - by_error).mean(), error))
