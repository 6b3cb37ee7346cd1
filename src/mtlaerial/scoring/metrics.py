"""Scores as sufficient statistics: sums that add up over blocks, tiles and splits, and what follows from them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

PAPER_LIMIT = 9000.0
"""The paper scores heights with 0 < h < 9000 m."""
SUMS = ("cells", "error", "absolute", "squared", "positive", "relative", "delta1", "delta2", "delta3")
"""Per group of cells: number; sums of e, |e|, e²; with 0 < h < 9000: number, sum of |e| / h, numbers within 1.25^k."""
MASKS = ("all", "positive")
"""Which cells heights are scored on: all valid ones, or the paper's 0 < h < 9000."""
LABEL_MASKS = ("all", "eroded")
"""Which pixels semantics are scored on: all with a class, or those away from class boundaries."""
Number = TypeVar("Number", float, NDArray[np.float64])


def confusion_matrix(true: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Count pixels by true class (row) and predicted class (column); pixels without a true class are left out.

    A pixel with a true class but no prediction is counted in an extra last column: it is wrong.
    """
    known = true < classes
    column = np.minimum(predicted[known], classes).astype(np.int64)
    flat = np.bincount(true[known].astype(np.int64) * (classes + 1) + column, minlength=classes * (classes + 1))
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

    Returns
    -------
    dict of mask to array, shape (number, len(SUMS))
    """
    chosen = np.isfinite(true) & (groups >= 0) & (groups < number)
    h, group = true[chosen].astype(np.float64), groups[chosen].astype(np.int64)
    p = predicted[chosen].astype(np.float64)
    error = p - h
    positive = (h > 0) & (h < PAPER_LIMIT)
    safe = np.where(positive, h, 1.0)
    ratio = np.where(p > 0, np.maximum(np.maximum(p, 1e-9) / safe, safe / np.maximum(p, 1e-9)), np.inf)
    deltas = [positive & (ratio < 1.25**k) for k in (1, 2, 3)]
    columns = [np.ones_like(h), error, abs(error), error**2, positive, positive * abs(error) / safe, *deltas]

    def sums(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        weights = (column * mask for column in columns)
        return np.stack([np.bincount(group, weights=w, minlength=number) for w in weights], axis=1)

    return {"all": sums(np.ones_like(positive)), "positive": sums(positive)}


def semantic_scores(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """Return OA, AA, kappa, mIoU, mean F1 and each class's F1 and IoU, as fractions.

    Classes that occur neither in the truth nor in the prediction have no score and do not enter means; a class that is
    predicted but does not occur has IoU and F1 of 0 but does not enter AA, which needs a recall.
    """
    square = confusion[:, : len(confusion)].astype(np.float64)
    total, true, found = confusion.sum(), confusion.sum(axis=1).astype(np.float64), square.sum(axis=0)
    hits = np.diag(square)
    if total == 0:
        return {}
    chance = float((true * found).sum() / total**2)
    overall = float(hits.sum() / total)
    f1, iou = _ratio(2 * hits, true + found), _ratio(hits, true + found - hits)
    scores = {
        "OA": overall,
        "AA": _mean(_ratio(hits, true)),
        "kappa": (overall - chance) / (1 - chance) if chance < 1 else 0.0,
        "mIoU": _mean(iou),
        "F1": _mean(f1),
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
"""The scores delta-m is made of; see :func:`delta_m`."""


def delta_m(scores: Mapping[str, float], single: Mapping[str, float], names: Sequence[str]) -> float:
    """Return the mean relative gain over single-task baselines, as a fraction.

    Parameters
    ----------
    scores : mapping of score to value
        Of the method.
    single : mapping of score to value
        Of the single-task methods.
    names : sequence of str
        Which scores enter, one per task usually.

    Notes
    -----
    Maninis et al. 2019, arXiv 1904.08918, equation 4 (as a gain: positive is better).
    """
    gains = [relative_gain(name, scores[name], single[name]) for name in names if name in scores and name in single]
    return float(np.mean(gains)) if gains else float("nan")


def relative_gain(name: str, value: Number, baseline: Number) -> Number:
    """Return by which fraction of the baseline a score is better, of numbers or arrays."""
    return (1 if HIGHER_IS_BETTER[name] else -1) * (value - baseline) / baseline


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _mean(values: NDArray[np.float64]) -> float:
    present = values[np.isfinite(values)]
    return float(present.mean()) if present.size else float("nan")
