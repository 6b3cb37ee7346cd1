"""Figure of the conflict between the tasks' gradients over the training of one method."""

import math
from collections.abc import Sequence
from itertools import combinations, cycle
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from mtlaerial.config import Task
from mtlaerial.config.tasks import registry_order
from mtlaerial.figures.loss_labels import loss_unit
from mtlaerial.figures.series import (
    SMOOTHING,
    STYLES,
    Histories,
    add_legend,
    draw_noisy,
    format_axes,
    style_handles,
    with_colours,
)
from mtlaerial.figures.style import Caption, named, save
from mtlaerial.runs.run import RunDescription

LOGARITHMIC_FROM = 10
"""Ratio of the largest weight to the smallest above which the axis is logarithmic."""
LABEL_DISTANCE = 0.07
"""Least distance between two labels, as a share of the axes' height."""
CONFLICT_COLOUR = "#b3261e"


def conflict_figure(histories: Histories, description: RunDescription, path: Path) -> Figure | None:
    """Draw by epoch the cosine between the tasks' gradients, their norms, and the weights of the tasks.

    The gradients are those of the tasks' losses with respect to the shared features. They conflict when their cosine is
    below 0: a small step down one loss raises the other (Yu et al. 2020, arXiv 2001.06782, definition 1, there with
    respect to the shared parameters).

    Parameters
    ----------
    histories : mapping of name to DataFrame
        ``history.csv`` of each run; the name, "seed 1" for instance, is shown.
    description : RunDescription
        Description of any of these runs, which differ only in their seeds.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure or None
        Axes for cosine, norms and weights: points, and their running median. Missing cosines, and zeros on a
        logarithmic axis, are gaps. None, without a file, for a method with one task, which has no conflict.
    """
    plan, statistics = description.plan, description.statistics
    if len(plan.tasks) == 1:
        return None
    figure = Figure(figsize=(9.2, 6.8), layout="constrained")
    axes = figure.subplot_mosaic([["cosine", "cosine"], ["norms", "weights"]])
    _draw_cosine(axes["cosine"], histories, plan.tasks)
    _draw_norms(axes["norms"], histories, {task: loss_unit(task, plan.training) for task in plan.tasks})
    _draw_weights(axes["weights"], histories, plan.tasks)
    add_legend(figure, histories, style_handles(plan.tasks))
    heading = f"{named(statistics.title, statistics.generated)}: conflict between the tasks"
    method = f"{plan.method}, weighting {plan.weighting.name}"
    figure.suptitle(f"{heading}\n{method}", fontsize=12)
    text = _description(histories, plan.tasks)
    return save(figure, path, Caption(dataset=plan.dataset, title=f"{heading}, {method}", description=text))


def _cosine_columns(tasks: Sequence[Task]) -> dict[str, str]:
    """Return the column of each pair of tasks by the pair's name."""
    pairs = combinations(tasks, 2)
    return {f"{first} and {second}": f"cosine_{first}_{second}" for first, second in pairs}


def _listed(tasks: Sequence[Task]) -> str:
    *rest, last = sorted(tasks, key=registry_order)
    return f"{', '.join(rest)} and {last}"


def _draw_cosine(axes: Axes, histories: Histories, tasks: Sequence[Task]) -> None:
    columns = _cosine_columns(tasks)
    axes.axhspan(-1, 0, color=CONFLICT_COLOUR, alpha=0.06, linewidth=0, zorder=0)
    axes.axhline(0, color="#404040", linewidth=0.8, zorder=1)
    for colour, history in with_colours(histories):
        for column, style in zip(columns.values(), cycle(STYLES), strict=False):
            draw_noisy(axes, history["epoch"], history[column], style, colour)
    format_axes(axes, f"cosine between the gradients of {_listed(tasks)}", "cosine")
    axes.set_ylim(-1, 1)
    if len(columns) > 1:
        axes.legend(handles=style_handles(columns), fontsize=9, frameon=False)
    pooled = pd.concat([history[column] for history in histories.values() for column in columns.values()])
    _label(axes, 0.75, "agreement")
    _label(axes, 0.25, fill(f"conflict: {_conflict_share(pooled)}", width=10))


def _draw_norms(axes: Axes, histories: Histories, units: dict[Task, str]) -> None:
    _draw_tasks(axes, histories, "norm", list(units), logarithmic=True)
    named_units = ",\n".join(f"{task}: {unit}" for task, unit in units.items())
    format_axes(axes, "norms of the gradients", f"L2 norm ({named_units})")


def _draw_weights(axes: Axes, histories: Histories, tasks: Sequence[Task]) -> None:
    values = pd.concat([history[f"weight_{task}"] for history in histories.values() for task in tasks])
    positive = values[values > 0]
    logarithmic = bool(positive.max() > LOGARITHMIC_FROM * positive.min())
    _draw_tasks(axes, histories, "weight", tasks, logarithmic)
    format_axes(axes, "weights of the tasks", "weight in the trunk")


def _draw_tasks(axes: Axes, histories: Histories, kind: str, tasks: Sequence[Task], logarithmic: bool) -> None:
    for task, style in zip(tasks, cycle(STYLES), strict=False):
        for colour, history in with_colours(histories):
            values = history[f"{kind}_{task}"]
            if logarithmic:  # gaps instead of 0, which such an axis cannot show
                values = values.where(values.between(0, math.inf, inclusive="neither"))
            draw_noisy(axes, history["epoch"], values, style, colour)
    if logarithmic:
        _set_logarithmic(axes)
    else:
        axes.set_ylim(bottom=0)
    _label_lines(axes, histories, kind, tasks)


def _set_logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e4 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _label_lines(axes: Axes, histories: Histories, kind: str, tasks: Sequence[Task]) -> None:
    """Label each task's lines at their ends: dashes are hard to see when lines of many seeds overlap."""
    ends = {task: _start_and_end(histories, f"{kind}_{task}")[1] for task in tasks}
    axes.autoscale_view()  # limits must be final before data are turned into places
    to_axes = axes.transData + axes.transAxes.inverted()
    places = sorted((float(to_axes.transform((0, end))[1]), task) for task, end in ends.items() if end > 0)
    for height, (_, task) in zip(_spread([height for height, _ in places]), places, strict=True):
        _label(axes, height, task)


def _spread(heights: Sequence[float]) -> list[float]:
    """Return ascending heights with at least ``LABEL_DISTANCE`` between them: they give way upwards and downwards."""
    spread: list[float] = []
    for height in heights:
        least = spread[-1] + LABEL_DISTANCE if spread else height
        spread.append(max(height, least))
    push = (spread[-1] - heights[-1]) / 2 if heights else 0.0
    return [height - push for height in spread]


def _label(axes: Axes, height: float, text: str) -> None:
    """Write beside the axes, at a share of their height."""
    axes.text(1.01, height, text, transform=axes.transAxes, va="center", fontsize=9)


def _conflict_share(cosines: pd.Series) -> str:
    """Return the share of measured cosines below 0 as text."""
    measured = cosines.dropna()
    return f"{100 * (measured < 0).mean():.0f} % of {len(measured):,} steps" if len(measured) else "nothing measured"


def _description(histories: Histories, tasks: Sequence[Task]) -> str:
    """Return the figure's contents as text."""
    cosines = _cosine_columns(tasks)
    pooled = {name: pd.concat([history[column] for column in cosines.values()]) for name, history in histories.items()}
    conflicts = "; ".join(f"{name}, {_conflict_share(values)}" for name, values in pooled.items())
    columns = {f"cosine of {pair}" if len(cosines) > 1 else "cosine": column for pair, column in cosines.items()}
    columns |= {f"{kind} of {task}": f"{kind}_{task}" for kind in ("norm", "weight") for task in tasks}
    courses = "; ".join(f"{name}, {_course(histories, column)}" for name, column in columns.items())
    return (
        f"By epoch: cosine between the gradients of {_listed(tasks)} at the features they share, norms of these "
        "gradients, and weights of the tasks. The cosine is below 0, which is conflict, in so many of the steps it was "
        f"measured at: {conflicts}. "
        f"Medians over all seeds in the first and in the last tenth of training: {courses}. {SMOOTHING}"
    )


def _course(histories: Histories, column: str) -> str:
    return " and ".join(map(_median_text, _start_and_end(histories, column)))


def _median_text(median: float) -> str:
    return "not known" if math.isnan(median) else f"{median:.3g}"


def _start_and_end(histories: Histories, column: str) -> tuple[float, float]:
    """Return the medians over the first and over the last tenth of the rows of all runs; NaN without any value."""
    tenths = [(history[column], -(-len(history) // 10)) for history in histories.values()]  # rounded up
    first = pd.concat([values.head(rows) for values, rows in tenths])
    last = pd.concat([values.tail(rows) for values, rows in tenths])
    return float(first.median()), float(last.median())
