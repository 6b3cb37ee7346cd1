"""Figure of a method's height errors by true height: where the squared error is, beside where the cells are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.figures.style import CYCLE
from mtlaerial.figures.summed_scores import SummedFigure
from mtlaerial.scoring.metrics import squared_share
from mtlaerial.scoring.scores import Scores
from mtlaerial.scoring.tile_sums import OVERALL

Shares = dict[str, tuple[float, float]]
"""Of each bin of true height: its share in the cells and in the squared error."""


def height_error_figure(scores: Sequence[Scores], path: Path) -> Figure:
    """Draw the shares of the bins of true height in the cells and in the squared error.

    Parameters
    ----------
    scores : sequence of Scores
        Scores of the seeds of one method on one data set; at least one.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        Two bars per bin. Without heights or their ground truth, the figure is a sentence that says so.
    """
    shares = error_shares(scores)
    summed = SummedFigure(
        subject="height errors",
        description="Shares in % of the bins of true height in the cells and in the squared error,",
        absence="no heights learned, or no ground truth",
        size=(max(5.0, 0.9 * len(shares) + 1.6), 4.0),
    )
    return summed.draw(scores, path, partial(_draw, shares) if shares else None)


def error_shares(scores: Sequence[Scores]) -> Shares:
    """Return the shares of the bins of true height in the cells and in the squared error, summed over runs.

    Parameters
    ----------
    scores : sequence of Scores
        On the same tiles.

    Returns
    -------
    Shares
        Empty without heights; the share of an error that is 0 is NaN.
    """
    sums = [run.height("all") for run in scores if run.height_bins]
    if not sums:
        return {}
    overall = np.sum([groups[OVERALL] for groups in sums], axis=0)
    shares = {}
    for group in scores[0].height_bins:
        of_bin = np.sum([groups[group] for groups in sums], axis=0)
        shares[group] = float(of_bin[0] / overall[0]), float(squared_share(of_bin, overall))
    return shares


def _draw(shares: Shares, axes: Axes) -> None:
    places = np.arange(len(shares))
    for number, label in enumerate(("cells", "squared error")):
        percent = [100 * pair[number] for pair in shares.values()]
        bars = axes.bar(places + 0.4 * number - 0.2, percent, 0.4, color=CYCLE[number], label=label)
        axes.bar_label(bars, fmt="%.1f", fontsize=8, padding=1)
    axes.set_xticks(places, list(shares), fontsize=9)
    axes.set(xlabel="true height", ylabel="share (%)")
    axes.margins(y=0.1)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
