"""Figure of a method's confusion matrix."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtlaerial.figures.summed_scores import SummedFigure
from mtlaerial.scoring.scores import Scores

NOT_PREDICTED = "not predicted"


def confusion_figure(scores: Sequence[Scores], path: Path) -> Figure:
    """Draw the confusion matrix, summed over test tiles and seeds, as shares of each true class.

    Parameters
    ----------
    scores : sequence of Scores
        Scores of the seeds of one method on one data set; at least one.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        Rows are true classes, with their pixels; columns are predicted classes. Without semantics or their ground
        truth, the figure is a sentence that says so.
    """
    names, total = list(scores[0].classes), np.sum([entry.confusion() for entry in scores], axis=0)
    side = max(4.5, 0.62 * len(names) + 2.2)
    summed = SummedFigure(
        subject="confusion",
        description="Shares in % of each true class (rows) by predicted class (columns), summed",
        absence="no classes learned, or no ground truth",
        size=(side + 1.0, side),
    )
    any_unpredicted = bool(total[:, -1].any())
    matrix = total if any_unpredicted else total[:, :-1]
    columns = names + [NOT_PREDICTED] * any_unpredicted
    return summed.draw(scores, path, partial(_draw, matrix, columns) if total.any() else None)


def _draw(matrix: NDArray[np.float64], columns: Sequence[str], axes: Axes) -> None:
    pixels = matrix.sum(axis=1, keepdims=True)
    share = np.ma.masked_where(np.broadcast_to(pixels == 0, matrix.shape), 100 * matrix / np.maximum(pixels, 1))
    picture = axes.imshow(share, cmap="cividis", vmin=0, vmax=100)
    names = columns[: len(matrix)]
    rows = [f"{name}\n{short(round(count))} px" for name, count in zip(names, pixels[:, 0], strict=True)]
    axes.set_xticks(range(len(columns)), list(columns), rotation=40, ha="right", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(range(len(rows)), rows, fontsize=9)
    axes.set(xlabel="predicted class", ylabel="true class, pixels")
    axes.set_facecolor("#e8e8e8")
    axes.figure.colorbar(picture, ax=axes, label="share of the true class (%)", shrink=0.8)
    counts_fit = len(columns) <= 10
    for (row, column), value in np.ndenumerate(share.filled(np.nan)):
        if np.isfinite(value):
            number = f"{value:.1f}\n{short(round(float(matrix[row, column])))}" if counts_fit else f"{value:.0f}"
            colour = "black" if value > 55 else "white"  # cividis is light above
            axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=8)


def short(count: int) -> str:
    """Return a count with three digits and k, M or G."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        # 999.5 k and more would be rounded to 1000 k: shown as 1.00 M.
        if count >= 0.9995 * size:
            return f"{count / size:#.3g}".rstrip(".") + f" {unit}"
    return str(count)
