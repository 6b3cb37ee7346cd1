"""Gain over single-task baselines: delta-m."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

HIGHER_IS_BETTER = {"OA": True, "AA": True, "kappa": True, "mIoU": True, "F1": True, "MAE": False, "RMSE": False}
"""The scores that may enter delta-m; see :func:`delta_m`."""
Number = TypeVar("Number", float, NDArray[np.float64])


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
    score = name.rpartition(" ")[2]  # the task may stand before it
    return (1 if HIGHER_IS_BETTER[score] else -1) * (value - baseline) / baseline
