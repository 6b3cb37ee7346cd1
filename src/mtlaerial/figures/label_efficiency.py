"""Curves of scores over the share of a task's truth: one task alone beside joint learning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mtlaerial.figures.style import CYCLE, Caption, named, save

MARKERS = ("o", "s")
"""Of the single task and of joint learning, which can be told apart without colours."""
APART = 1.03
"""Factor between the places of the curves, so that intervals do not hide each other."""
NOTHING = "No method of the curves was scored on this data set."
WIDTH = 55
"""Characters of a line below a panel."""


@dataclass(frozen=True)
class Point:
    """A point of a curve; the ends of its interval are NaN without one.

    Attributes
    ----------
    percent : float
        Of the training area with truth.
    score, low, high : float
        In the unit of the panel.
    """

    percent: float
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class CurvePanel:
    """Curves of one score.

    Attributes
    ----------
    title : str
        Score and task, e.g. ``semantics: mIoU``.
    unit : str
    layer : str
        What there is a share of, e.g. ``labels``.
    curves : mapping of name to sequence of Point
        In the order of the legend.
    """

    title: str
    unit: str
    layer: str
    curves: Mapping[str, Sequence[Point]]


def label_efficiency_figure(
    panels: Sequence[CurvePanel], dataset: str, title: str, generated: bool, notes: Sequence[str], path: Path
) -> Figure:
    """Draw the curves of a data set, a panel for each score.

    Parameters
    ----------
    panels : sequence of CurvePanel
        Without any, the figure says so.
    dataset, title : str
        Name and title of the data set.
    generated : bool
    notes : sequence of str
        Sentences that are written below the curves, as without them the curves are misread.
    path : Path
        The PNG to write.
    """
    notes = notes if panels else (NOTHING,)
    columns = 2 if len(panels) in (2, 4) else min(max(len(panels), 1), 3)
    rows = -(-len(panels) // columns)
    text = "\n".join(fill(note, WIDTH * columns) for note in notes)
    below = 0.17 * len(text.splitlines())
    figure = Figure(figsize=(3.9 * columns + 0.3, 3.2 * rows + 0.9 + below), layout="constrained")
    for number, panel in enumerate(panels, start=1):
        _draw(figure.add_subplot(rows, columns, number), panel)
    heading = f"{named(title, generated)}: label efficiency"
    figure.suptitle(heading, fontsize=12)
    if text:
        figure.supxlabel(text, fontsize=8)
    subjects = "; ".join(f"{panel.title} ({panel.unit}) over the share of {panel.layer}" for panel in panels)
    description = " ".join((f"{subjects}. Bars: 95 % intervals.", *notes))
    return save(figure, path, Caption(dataset=dataset, title=heading, description=description))


def _draw(axes: Axes, panel: CurvePanel) -> None:
    ticks = sorted({point.percent for points in panel.curves.values() for point in points})
    for number, (name, points) in enumerate(panel.curves.items()):
        ordered = sorted(points, key=lambda point: point.percent)
        places = [point.percent * APART**number for point in ordered]
        scores = [point.score for point in ordered]
        colour, marker = CYCLE[number % len(CYCLE)], MARKERS[number % len(MARKERS)]
        axes.plot(places, scores, color=colour, marker=marker, markersize=5, linewidth=1.4, label=name)
        barred = [(place, point) for place, point in zip(places, ordered, strict=True) if isfinite(point.low)]
        if barred:
            axes.vlines(
                [place for place, _ in barred],
                [point.low for _, point in barred],
                [point.high for _, point in barred],
                color=colour,
                linewidth=1.2,
            )
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(f"{panel.title} ({panel.unit})", fontsize=10)
    axes.set_xlabel(f"{panel.layer} used (% of their area)", fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.3, linewidth=0.6)
    axes.legend(fontsize=8, frameon=False)
