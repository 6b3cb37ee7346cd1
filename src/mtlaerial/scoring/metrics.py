"""Scores from sufficient statistics: sums that add up over blocks, tiles and splits."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

PAPER_LIMIT = 9000.0
"""The paper scores heights with 0 < h < 9000 m."""
SUMS = ("cells", "error", "absolute", "squared", "positive", "relative", "delta1", "delta2", "delta3")
"""Per group of cells: number; sums of e, |e|, e²; with 0 < h < 9000: number, sum of |e| / h, numbers within 1.25^k."""
MASKS = ("all", "positive")
"""Masks of the cells scored for height: all valid ones, or the paper's 0 < h < 9000."""
LABEL_MASKS = ("all", "eroded")
"""Masks of the pixels scored for semantics: all with a class, or those away from class boundaries."""
Number = TypeVar("Number", float, NDArray[np.float64])


def confusion_matrix(true: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count pixels by true class (row) and predicted class (column); pixels without a true class are left out.

    A pixel with a true class but no prediction is counted in an extra last column: it is wrong.
    """
    labelled = true < classes
    row = true[labelled].astype(np.int64)  # the index below overflows uint8
    column = np.minimum(predicted[labelled], classes).astype(np.int64)
    flat = np.bincount(row * (classes + 1) + column, minlength=classes * (classes + 1))
    return flat.reshape(classes, classes + 1)


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
    error = p - h
    positive = (h > 0) & (h < PAPER_LIMIT)
    safe_h, safe_p = np.where(positive, h, 1.0), np.maximum(p, 1e-9)  # no division by zero
    # delta_k is the share of cells with max(p / h, h / p) < 1.25^k; a prediction of 0 or below is never close.
    ratio = np.where(p > 0, np.maximum(safe_p / safe_h, safe_h / safe_p), np.inf)
    deltas = [positive & (ratio < 1.25**k) for k in (1, 2, 3)]
    columns = [np.ones_like(h), error, abs(error), error**2, positive, positive * abs(error) / safe_h, *deltas]

    def sums(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        weights = (column * mask for column in columns)
        return np.stack([np.bincount(group, weights=w, minlength=number) for w in weights], axis=1)

    return {"all": sums(np.ones_like(positive)), "positive": sums(positive)}


def semantic_scores(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """Return OA, AA, kappa, mIoU, mean F1 and each class's F1 and IoU, as fractions.

    Classes that occur neither in the truth nor in the prediction have no score and do not enter means; a class that is
    predicted but does not occur has IoU and F1 of 0 but does not enter AA, which needs a recall.
    """
    square = confusion[:, : len(confusion)].astype(np.float64)  # without the column of pixels not predicted
    total, true, predicted = confusion.sum(), confusion.sum(axis=1).astype(np.float64), square.sum(axis=0)
    hits = np.diag(square)
    if total == 0:
        return {}
    chance = float((true * predicted).sum() / total**2)  # agreement of independent labellings with these margins
    overall = float(hits.sum() / total)
    f1, iou = _ratio(2 * hits, true + predicted), _ratio(hits, true + predicted - hits)
    scores = {
        "OA": overall,
        "AA": _finite_mean(_ratio(hits, true)),
        "kappa": (overall - chance) / (1 - chance) if chance < 1 else 0.0,  # Cohen 1960
        "mIoU": _finite_mean(iou),
        "F1": _finite_mean(f1),
    }
    for values, score in ((f1, "F1"), (iou, "IoU")):
        scores |= {f"{score} {name}": float(value) for name, value in zip(names, values, strict=True)}
    return {key: value for key, value in scores.items() if np.isfinite(value)}


def height_scores(sums: NDArray[np.float64]) -> dict[str, float]:
    """Return MAE, RMSE, bias in metres, and REL, delta1-3 over cells with 0 < h < 9000 m, from one group's sums."""
    s = dict(zip(SUMS, sums.tolist(), strict=True))
    if s["cells"] == 0:
        return {}
    n, positive = s["cells"], s["positive"]
    scores = {"MAE": s["absolute"] / n, "RMSE": float(np.sqrt(s["squared"] / n)), "bias": s["error"] / n}
    if positive:
        scores |= {"REL": s["relative"] / positive} | {f"delta{k}": s[f"delta{k}"] / positive for k in (1, 2, 3)}
    return scores


HIGHER_IS_BETTER = {"OA": True, "AA": True, "kappa": True, "mIoU": True, "F1": True, "MAE": False, "RMSE": False}
"""The scores that may enter delta-m; see :func:`delta_m`."""


def delta_m(scores: Mapping[str, float], single: Mapping[str, float], names: Sequence[str]) -> float:
    """Return the mean relative gain over single-task baselines, as a fraction.

    Parameters
    ----------
    scores : mapping of score to value
        Scores of the method.
    single : mapping of score to value
        Scores of the single-task methods.
    names : sequence of str
        The scores that enter, usually one per task.

    Notes
    -----
    Maninis et al. 2019, arXiv 1904.08918, equation 4 (as a gain: positive is better).
    """
    gains = [relative_gain(name, scores[name], single[name]) for name in names if name in scores and name in single]
    return float(np.mean(gains)) if gains else float("nan")


def relative_gain(name: str, value: Number, baseline: Number) -> Number:
    """Return the gain of a score as a fraction of the baseline, for numbers or arrays; positive is better."""
    return (1 if HIGHER_IS_BETTER[name] else -1) * (value - baseline) / baseline


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _finite_mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
