"""Figures of a method's uncertainty: reliability of its probabilities, and errors of the most certain cells."""

from collections.abc import Sequence
from functools import partial, reduce
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtlaerial.config.task_entry import Metrics
from mtlaerial.figures.style import CYCLE
from mtlaerial.figures.summed_scores import SummedFigure
from mtlaerial.scoring.error_retention import RETAINED, retention_curve, sparsification_error
from mtlaerial.scoring.reliability import BINS, calibration_error, reliability_diagram
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.uncertainty import UncertaintySums

IDEAL = "#606060"
"""Colour of what the best possible uncertainty would give."""


def reliability_figure(scores: Sequence[Scores], path: Path) -> Figure | None:
    """Draw the accuracy of the predicted class over its probability.

    Parameters
    ----------
    scores : sequence of Scores
        Scores of the seeds of one method on one data set; at least one.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure or None
        A bar per bin of probability, and the share of the pixels in it; None without scored probabilities.
    """
    sums = np.array(_sums(scores).reliability)
    if not sums.size:
        return None
    summed = SummedFigure(
        subject="reliability",
        description="Accuracy of the predicted class over its probability, and share of the pixels, in 15 bins, summed",
        absence="",
        size=(6.2, 5.0),
    )
    return summed.draw(scores, path, partial(_draw_reliability, sums))


def retention_figure(scores: Sequence[Scores], path: Path, metrics: Metrics) -> Figure | None:
    """Draw the error of the most certain cells over their share, ordered by the uncertainty and by the true error.

    Parameters
    ----------
    scores, path
        As of :func:`reliability_figure`.
    metrics : Metrics
        Of classes by the entropy of their probabilities, or of heights by their standard deviation.

    Returns
    -------
    Figure or None
        None without a scored uncertainty.
    """
    sums = _sums(scores)
    of_classes = metrics == "classes"
    orders = np.array(sums.class_retention if of_classes else sums.height_retention)
    if not orders.size:
        return None
    subject = "class-error retention" if of_classes else "height-error retention"
    summed = SummedFigure(
        subject=subject,
        description="Error of the most certain cells over their share, by uncertainty and by true error, summed",
        absence="",
        size=(7.0, 4.4),
    )
    return summed.draw(scores, path, partial(_draw_retention, orders, of_classes))


def _sums(scores: Sequence[Scores]) -> UncertaintySums:
    """Return the sums over tiles and seeds."""
    return reduce(UncertaintySums.plus, (run.uncertainty() for run in scores), UncertaintySums())


def _draw_reliability(sums: NDArray[np.float64], axes: Axes) -> None:
    share, _, accuracy = 100 * reliability_diagram(sums).T
    centres = 100 * (np.arange(BINS) + 0.5) / BINS
    width = 100 / BINS
    axes.bar(centres, accuracy, 0.94 * width, color=CYCLE[0], label="accuracy")
    axes.bar(centres, share, 0.4 * width, color=CYCLE[4], label="share of the pixels")
    error = 100 * float(calibration_error(sums))
    axes.plot([0, 100], [0, 100], "--", color=IDEAL, linewidth=1, label=f"calibrated; ECE {error:.1f} %")
    axes.set(xlabel="probability of the predicted class (%)", ylabel="share (%)", xlim=(0, 100), ylim=(0, 100))
    axes.set_aspect("equal")
    _finish(axes, "upper left")


def _draw_retention(orders: NDArray[np.float64], of_classes: bool, axes: Axes) -> None:
    score, factor = ("MAE", 100) if of_classes else ("RMSE", 1)
    by_uncertainty, by_error = (factor * retention_curve(order, score) for order in orders)
    axes.plot(100 * RETAINED, by_uncertainty, color=CYCLE[0], label="by uncertainty")
    axes.plot(100 * RETAINED, by_error, "--", color=IDEAL, label="by true error")
    area = 100 * sparsification_error(orders, score)
    label = "wrong pixels (%)" if of_classes else "RMSE of height (m)"
    cells = "pixels" if of_classes else "cells"
    axes.set(xlabel=f"most certain {cells} (%); AUSE {area:.1f} %", ylabel=label, xlim=(0, 100))
    axes.set_ylim(bottom=0)
    _finish(axes, "lower right")


def _finish(axes: Axes, legend: Literal["upper left", "lower right"]) -> None:
    axes.legend(frameon=False, fontsize=9, loc=legend)
    axes.spines[["top", "right"]].set_visible(False)
