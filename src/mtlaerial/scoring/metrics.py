"""Scores from sufficient statistics: sums that add up over blocks, tiles and splits.

The scores accept arrays of sums, so that a jackknife evaluates all of its parts at once.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

HEIGHT_LIMIT = 9000.0
"""Metres; the original's code trains on heights with 0 < h < 9000 m."""
SUMS = ("cells", "error", "absolute", "squared", "positive", "relative", "delta1", "delta2", "delta3")
"""Per group of cells: number; sums of e, |e|, e²; with 0 < h < 9000: number, sum of |e| / h, numbers within 1.25^k."""
FLOOR = 1.0
"""Metres that separate objects from ground, as in SynRS3D (Song et al. 2024, arXiv 2406.18151). Ratios of heights, REL
and delta, are scored above it: ground at millimetres makes them arbitrarily large."""
MASKS = ("all", "positive", "objects")
"""Masks of the cells scored for height: all valid ones, the original's 0 < h < 9000, or objects, 1 m < h < 9000."""


def confusion_matrix(true: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count pixels by true class (row) and predicted class (column); pixels without a true class are left out.

    A pixel with a true class but no prediction is counted in an extra last column: it is wrong.
    """
    labelled = true < classes
    row = true[labelled].astype(np.int64)  # the index below overflows uint8
    column = np.minimum(predicted[labelled], classes).astype(np.int64)
    flat = np.bincount(row * (classes + 1) + column, minlength=classes * (classes + 1))
    return flat.reshape(classes, classes + 1)


def without_true(confusion: NDArray[np.generic], codes: Collection[int]) -> NDArray[np.float64]:
    """Return a confusion matrix without the pixels whose true class is one of some codes.

    The other pixels that are predicted as such a class stay, as errors of their true class.
    """
    left = confusion.astype(np.float64)
    left[list(codes)] = 0
    return left


def merged_classes(confusion: NDArray[np.generic], sets: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Return a confusion matrix whose classes are sets of classes, shape (sets, sets + 1).

    Pixels whose true class is in no set are left out. A prediction in no set is wrong, as one that is missing: both are
    in the last column.

    Examples
    --------
    >>> merged_classes(np.array([[5, 1, 2, 0], [1, 7, 0, 0], [0, 0, 9, 3]]), [[0, 1], [2]])
    array([[14.,  2.,  0.],
           [ 0.,  9.,  3.]])
    """
    rows = np.array([confusion[list(codes)].sum(axis=0, dtype=np.float64) for codes in sets])
    hits = np.stack([rows[:, list(codes)].sum(axis=1) for codes in sets], axis=1)
    return np.concatenate([hits, (rows.sum(axis=1) - hits.sum(axis=1))[:, None]], axis=1)


def height_sums(
    true: NDArray[np.float32], predicted: NDArray[np.float32], groups: NDArray[np.integer], number: int
) -> dict[str, NDArray[np.float64]]:
    """Sum height errors per group of cells and mask.

    Parameters
    ----------
    true, predicted : array of float32, metres
        Cells whose truth is NaN are left out. A prediction must be finite where the truth is.
    groups : array of int
        Group of each cell; those outside 0 … number - 1 are left out.
    number : int
        Number of groups.

    Returns
    -------
    dict of mask to array, shape (number, len(SUMS))
    """
    scored = np.isfinite(true) & (groups >= 0) & (groups < number)
    group = groups[scored].astype(np.int64)
    h, p = true[scored].astype(np.float64), predicted[scored].astype(np.float64)  # sums of float32 lose digits
    below_limit = h < HEIGHT_LIMIT
    masks = {"all": np.ones_like(below_limit), "positive": (h > 0) & below_limit, "objects": (h > FLOOR) & below_limit}
    return {name: _sums(h[mask], p[mask], group[mask], number) for name, mask in masks.items()}


def _sums(h: NDArray[np.float64], p: NDArray[np.float64], group: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Return the sums named by ``SUMS`` of each group, shape (number, len(SUMS))."""
    error = p - h
    positive = (h > 0) & (h < HEIGHT_LIMIT)
    safe_h = np.where(positive, h, 1.0)  # no division by zero
    ratio = height_ratio(safe_h, p)
    deltas = [positive & (ratio < 1.25**k) for k in (1, 2, 3)]
    columns = [np.ones_like(h), error, abs(error), error**2, positive, positive * abs(error) / safe_h, *deltas]
    return np.stack([np.bincount(group, weights=column, minlength=number) for column in columns], axis=1)


def height_ratio(h: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return max(p / h, h / p) for true heights above 0; infinity where the prediction is 0 or below."""
    safe_p = np.maximum(p, 1e-9)
    return np.where(p > 0, np.maximum(safe_p / h, h / safe_p), np.inf)


def margins(confusion: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return what all scores of classes follow from: hits, true and predicted pixels of each class.

    Parameters
    ----------
    confusion : array, shape (..., classes, classes + 1)
        Counts or areas by true and predicted class; the last column has no prediction.

    Returns
    -------
    array, shape (..., 3, classes)
    """
    matrix = confusion.astype(np.float64)
    square = matrix[..., :-1]  # without the column of pixels not predicted, which count as true only
    hits = np.diagonal(square, axis1=-2, axis2=-1)
    return np.stack([hits, matrix.sum(axis=-1), square.sum(axis=-2)], axis=-2)


def class_scores(sums: NDArray[np.float64], names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return OA, AA, kappa, mIoU, mean F1 and each class's F1 and IoU, as fractions; NaN where there is no score.

    Parameters
    ----------
    sums : array, shape (..., 3, classes)
        From :func:`margins`.
    names : sequence of str
        The classes.

    Returns
    -------
    dict of score to array, shape (...)

    Notes
    -----
    One convention for all classes and means: the classes that occur in the truth. A pixel predicted as a class that
    does not occur is an error of its true class; that class has no score and enters no mean.
    """
    hits, true, predicted = np.moveaxis(sums, -2, 0)
    total = true.sum(axis=-1)
    recall = ratio_of(hits, true)
    f1 = np.where(true > 0, ratio_of(2 * hits, true + predicted), np.nan)
    iou = np.where(true > 0, ratio_of(hits, true + predicted - hits), np.nan)
    overall = ratio_of(hits.sum(axis=-1), total)
    # Agreement of independent labellings with these margins.
    chance = ratio_of((true * predicted).sum(axis=-1), total**2)
    scores = {
        "OA": overall,
        "AA": finite_mean(recall),
        "kappa": np.where(chance >= 1, 0.0, ratio_of(overall - chance, 1 - chance)),  # Cohen 1960
        "mIoU": finite_mean(iou),
        "F1": finite_mean(f1),
    }
    for values, score in ((f1, "F1"), (iou, "IoU")):
        scores |= {f"{score} {name}": values[..., index] for index, name in enumerate(names)}
    return scores


def semantic_scores(confusion: NDArray[np.generic], names: Sequence[str]) -> dict[str, float]:
    """Return the scores of one confusion matrix, see :func:`class_scores`; those without a value are left out."""
    return _with_value(class_scores(margins(confusion), names))


def length_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return MAE, RMSE, bias in metres, and REL, delta1-3 over the group's cells with 0 < h < 9000 m.

    Parameters
    ----------
    sums : array, shape (..., len(SUMS))

    Returns
    -------
    dict of score to array, shape (...)
        NaN where there is no cell.
    """
    s = dict(zip(SUMS, np.moveaxis(sums, -1, 0), strict=True))
    scores = {"MAE": ratio_of(s["absolute"], s["cells"])}
    scores["RMSE"] = np.sqrt(ratio_of(s["squared"], s["cells"]))
    scores["bias"] = ratio_of(s["error"], s["cells"])
    scores["REL"] = ratio_of(s["relative"], s["positive"])
    return scores | {f"delta{k}": ratio_of(s[f"delta{k}"], s["positive"]) for k in (1, 2, 3)}


def height_scores(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return the scores of one group's sums, see :func:`length_scores`; those without a value are left out."""
    return _with_value(length_scores(sums))


def squared_share(sums: NDArray[np.float64], overall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of a group of cells in the squared error of all; NaN where there is none.

    Parameters
    ----------
    sums, overall : array, shape (..., len(SUMS))
        Of the group, and of all cells.
    """
    squared = SUMS.index("squared")
    return ratio_of(sums[..., squared], overall[..., squared])


def ratio_of(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quotient of two arrays; NaN where the divisor is not positive."""
    quotient: NDArray[np.float64] = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return quotient


def finite_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the finite values along the last axis; NaN without any."""
    finite = np.isfinite(values)
    return ratio_of(np.where(finite, values, 0.0).sum(axis=-1), finite.sum(axis=-1).astype(np.float64))


def _with_value(scores: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    return {name: float(value) for name, value in scores.items() if np.isfinite(value)}
