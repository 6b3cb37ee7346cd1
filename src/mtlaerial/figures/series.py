"""Lines over the epochs of a training: a colour per run, a line style per column."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtlaerial.figures.style import CYCLE

LineStyle = Literal["-", "--", "-.", ":"] | tuple[float, tuple[int, ...]]
STYLES: tuple[LineStyle, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 4)))
"""Line styles of the columns that share axes."""
FEW = 30
"""Largest number of values that are drawn as a line with markers; more are smoothed."""
WINDOWS_PER_SERIES = 40
"""Length of a series in windows of the running median."""
SMALLEST_WINDOW = 5
"""Least values in the running median's window."""
RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 9,
    "fillstyle": "none",
    "markeredgewidth": 1.5,
    "linestyle": "none",
}
SMOOTHING = "Lines through faint points are their running medians."
"""Sentence on smoothing in captions."""

Histories = Mapping[str, pd.DataFrame]
"""``history.csv`` of each run by its name, "seed 1" for instance."""


def with_colours(histories: Histories) -> list[tuple[str, pd.DataFrame]]:
    """Return each run's colour and history."""
    return [(CYCLE[index % len(CYCLE)], history) for index, history in enumerate(histories.values())]


def draw_line(axes: Axes, epochs: pd.Series, values: pd.Series, style: LineStyle, colour: str) -> None:
    """Draw values without smoothing; missing values are gaps."""
    marker = "." if values.count() <= FEW else ""
    axes.plot(epochs, values, linestyle=style, color=colour, marker=marker, linewidth=1.4)


def draw_noisy(axes: Axes, epochs: pd.Series, values: pd.Series, style: LineStyle, colour: str) -> None:
    """Draw values of single steps: faint points and their running median, or a line when they are few."""
    if values.count() <= FEW:
        draw_line(axes, epochs, values, style, colour)
        return
    size = min(6.0, 130 / math.sqrt(len(values)))
    axes.plot(epochs, values, ".", color=colour, markersize=size, alpha=0.3, markeredgewidth=0, zorder=1)
    axes.plot(epochs, running_median(values), linestyle=style, color=colour, linewidth=1.3)


def draw_ring(axes: Axes, epochs: pd.Series, values: pd.Series, chosen: int | None, colour: str) -> None:
    """Draw a ring around the value of an epoch, if there is one."""
    if chosen is not None:
        there = epochs.sub(chosen).abs() < 1e-6
        axes.plot(epochs[there], values[there], color=colour, zorder=3, **RING)


def ring_handle(name: str) -> Line2D:
    """Return the legend entry of rings."""
    return Line2D([], [], color="#404040", label=name, **RING)


def running_median(values: pd.Series) -> pd.Series:
    """Return the centred running median over finite values; missing when there is none in the window."""
    width = max(SMALLEST_WINDOW, len(values) // WINDOWS_PER_SERIES) | 1  # odd, so that the window is centred
    return values.rolling(width, center=True, min_periods=1).median()


def format_axes(axes: Axes, title: str, unit: str) -> None:
    """Set title, labels, ticks and grid of axes over epochs."""
    axes.set_title(title, fontsize=10)
    axes.set(xlabel="epoch", ylabel=unit)
    axes.margins(x=0.01)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def style_handles(names: Iterable[str]) -> list[Line2D]:
    """Return legend entries of the line styles, one per name."""
    return [Line2D([], [], linestyle=style, color="#404040", label=name)
            for style, name in zip(cycle(STYLES), names, strict=False)]  # fmt: skip


def add_legend(figure: Figure, histories: Histories, entries: Sequence[Line2D] = ()) -> None:
    """Add a legend below the axes: the runs' colours, then further entries."""
    runs = [Line2D([], [], color=colour, label=name)
            for name, (colour, _) in zip(histories, with_colours(histories), strict=True)]  # fmt: skip
    figure.legend(handles=[*runs, *entries], loc="outside lower center", ncols=6, fontsize=9, frameon=False)
