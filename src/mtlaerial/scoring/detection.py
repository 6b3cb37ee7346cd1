"""Detection of objects by height: F1-HE and the probability of false alarm."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.scoring.metrics import FLOOR, height_ratio, ratio_of

COUNTS = ("found", "close1", "close2", "close3", "false_alarms", "misses", "rejections")
"""Cells of a tile: both true and predicted object; those of them with max(p / h, h / p) < 1.25^k; predicted only; true
only; neither."""


def detection_counts(true: NDArray[np.float32], predicted: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the cells whose true or predicted height is above 1 m.

    Parameters
    ----------
    true, predicted : array of float32, metres
        Cells whose truth is NaN are left out. A prediction must be finite where the truth is.

    Returns
    -------
    array of int64, shape (len(COUNTS),)
    """
    valid = np.isfinite(true)
    h, p = true[valid].astype(np.float64), predicted[valid].astype(np.float64)
    is_object, predicted_object = h > FLOOR, p > FLOOR
    both = is_object & predicted_object
    ratio = height_ratio(h[both], p[both])
    close = [np.count_nonzero(ratio < 1.25**k) for k in (1, 2, 3)]
    false_alarms = np.count_nonzero(predicted_object & ~is_object)
    misses = np.count_nonzero(is_object & ~predicted_object)
    rejections = np.count_nonzero(~is_object & ~predicted_object)
    return np.array([len(ratio), *close, false_alarms, misses, rejections], dtype=np.int64)


def detection_scores(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return F1-HE for three tolerances, and PFA, as fractions; NaN where there is no score.

    Parameters
    ----------
    counts : array, shape (..., len(COUNTS))

    Returns
    -------
    dict of score to array, shape (...)

    Notes
    -----
    F1-HE (Song et al. 2024, arXiv 2406.18151, with the definition of its code, ``utils/metrics.py`` of
    github.com/JTRNEO/SynRS3D): a hit is a cell whose true and predicted height are above 1 m and whose ratio is below
    1.25^k. As there, an object found with a wrong height counts neither as a hit, nor as a false alarm, nor as a miss.
    Here cells are pooled over tiles; the code averages images.

    PFA = FP / (FP + TN), the probability of false alarm (Kay 1998, Fundamentals of Statistical Signal Processing II):
    the share of the cells at 1 m or below that are predicted above 1 m.
    """
    counted = dict(zip(COUNTS, np.moveaxis(counts, -1, 0), strict=True))
    errors = counted["false_alarms"] + counted["misses"]
    scores = {}
    for k in (1, 2, 3):
        hits = counted[f"close{k}"]
        f1 = ratio_of(2 * hits, 2 * hits + errors)
        # All objects may be found, all with a wrong height: nothing is counted, and the score is 0.
        scores[f"F1-HE{k}"] = np.where((hits + errors == 0) & (counted["found"] > 0), 0.0, f1)
    scores["PFA"] = ratio_of(counted["false_alarms"], counted["false_alarms"] + counted["rejections"])
    return scores
