"""Lines of several tasks in one pair of axes, with labels at their ends."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from mtlaerial.config import Task
from mtlaerial.figures.series import STYLES, Histories, draw_noisy, with_colours

LABEL_DISTANCE = 0.07
"""Least distance between two labels, as a share of the axes' height."""


def draw_tasks(axes: Axes, histories: Histories, columns: Mapping[Task, str], logarithmic: bool) -> None:
    """Draw the column of each task, in a line style of its own, and label its lines with the task.

    Parameters
    ----------
    axes : Axes
    histories : mapping of name to DataFrame
    columns : mapping of Task to str
        In the order of the line styles.
    logarithmic : bool
        Whether the axis is; zeros are gaps then.
    """
    for column, style in zip(columns.values(), cycle(STYLES), strict=False):
        for colour, history in with_colours(histories):
            values = history[column]
            if logarithmic:  # gaps instead of 0, which such an axis cannot show
                values = values.where(values.between(0, math.inf, inclusive="neither"))
            draw_noisy(axes, history["epoch"], values, style, colour)
    if logarithmic:
        _set_logarithmic(axes)
    else:
        axes.set_ylim(bottom=0)
    _label_lines(axes, histories, columns)


def _set_logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e4 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _label_lines(axes: Axes, histories: Histories, columns: Mapping[Task, str]) -> None:
    """Label each task's lines at their ends: dashes are hard to see when lines of many seeds overlap."""
    ends = {task: start_and_end(histories, column)[1] for task, column in columns.items()}
    axes.autoscale_view()  # limits must be final before data are turned into places
    to_axes = axes.transData + axes.transAxes.inverted()
    places = sorted((float(to_axes.transform((0, end))[1]), task) for task, end in ends.items() if end > 0)
    for height, (_, task) in zip(_spread([height for height, _ in places]), places, strict=True):
        write_beside(axes, height, task)


def _spread(heights: Sequence[float]) -> list[float]:
    """Return ascending heights with at least ``LABEL_DISTANCE`` between them: they give way upwards and downwards."""
    spread: list[float] = []
    for height in heights:
        least = spread[-1] + LABEL_DISTANCE if spread else height
        spread.append(max(height, least))
    push = (spread[-1] - heights[-1]) / 2 if heights else 0.0
    return [height - push for height in spread]


def write_beside(axes: Axes, height: float, text: str) -> None:
    """Write beside the axes, at a share of their height."""
    axes.text(1.01, height, text, transform=axes.transAxes, va="center", fontsize=9)


def start_and_end(histories: Histories, column: str) -> tuple[float, float]:
    """Return the medians over the first and over the last tenth of the rows of all runs; NaN without any value."""
    tenths = [(history[column], -(-len(history) // 10)) for history in histories.values()]  # rounded up
    first = pd.concat([values.head(rows) for values, rows in tenths])
    last = pd.concat([values.tail(rows) for values, rows in tenths])
    return float(first.median()), float(last.median())
