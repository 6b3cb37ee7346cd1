"""Reliability of class probabilities: expected calibration error, from sums over bins of confidence."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.scoring.metrics import ratio_of

BINS = 15
"""Bins of confidence of equal width, as in Guo et al. 2017 (arXiv 1706.04599)."""
SUMS = ("pixels", "confidence", "hits")
"""Per bin of confidence: number of pixels; sum of the confidence; number of those whose class is right."""


def reliability_sums(probabilities: NDArray[np.float32], true: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sum confidence and hits by bin of confidence, the probability of the predicted class.

    Parameters
    ----------
    probabilities : array of float32, shape (classes, …)
        Probabilities, or positive scores, which are divided by their sum. Pixels without (NaN, or all 0) are left out.
    true : array of uint8, shape (…)
        Classes; pixels with a code of no class are left out.

    Returns
    -------
    array, shape (BINS, len(SUMS))
        Bin k has the confidences above k / BINS, up to (k + 1) / BINS.
    """
    total = probabilities.sum(axis=0, dtype=np.float64)
    valid = (true < len(probabilities)) & (total > 0) & np.isfinite(total)
    confidence = probabilities.max(axis=0)[valid] / total[valid]
    hits = (probabilities.argmax(axis=0) == true)[valid]
    # A probability that is exactly an edge belongs to the bin below it, though rounded.
    bins = np.ceil(confidence * BINS - 1e-6).astype(np.int64).clip(1, BINS) - 1
    columns = (np.ones_like(confidence), confidence, hits)
    return np.stack([np.bincount(bins, weights=column, minlength=BINS) for column in columns], axis=1)


def calibration_error(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected calibration error (ECE) as a fraction; NaN without pixels.

    Parameters
    ----------
    sums : array, shape (..., BINS, len(SUMS))

    Returns
    -------
    array, shape (...)
        Mean over pixels of |accuracy - mean confidence| of their bin (Naeini et al. 2015; Guo et al. 2017).
    """
    pixels, confidence, hits = np.moveaxis(sums, -1, 0)
    return ratio_of(abs(hits - confidence).sum(axis=-1), pixels.sum(axis=-1))


def reliability_diagram(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return share of the pixels, mean confidence and accuracy of each bin; NaN in empty bins.

    Parameters
    ----------
    sums : array, shape (BINS, len(SUMS))

    Returns
    -------
    array, shape (BINS, 3)
    """
    pixels, confidence, hits = sums.T
    share = ratio_of(pixels, np.full(BINS, pixels.sum()))
    return np.stack([share, ratio_of(confidence, pixels), ratio_of(hits, pixels)], axis=1)
