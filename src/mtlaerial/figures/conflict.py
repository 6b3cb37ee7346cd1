"""How far the tasks' gradients agree over the training of one method."""

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from mtlaerial.config import Task
from mtlaerial.figures.series import (
    SMOOTHING,
    STYLES,
    Histories,
    add_key,
    coloured,
    draw_noisy,
    finish,
    loss_units,
    style_handles,
)
from mtlaerial.figures.style import Caption, named, save
from mtlaerial.runs.run import RunDescription

WIDE = 10
"""Weights that differ by more than this factor have a logarithmic axis."""
APART = 0.07
"""Share of the axes' height that two names take."""
CONFLICT = "#b3261e"


def conflict_figure(histories: Histories, description: RunDescription, path: Path) -> Figure | None:
    """Draw by epoch the cosine between the tasks' gradients, their norms, and the weights of the tasks.

    The gradients are those of the tasks' losses with respect to the features that the tasks share. Where their cosine
    is below 0 they conflict: a small step down one loss raises the other (Yu et al. 2020, arXiv 2001.06782,
    definition 1, there with respect to the shared parameters).

    Parameters
    ----------
    histories : mapping of name to DataFrame
        ``history.csv`` of each run; the name, "seed 1" for instance, is shown.
    description : RunDescription
        Of any of these runs, which differ only in their seeds.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure or None
        With axes for cosine, norms and weights: points, and their running median. A cosine that is missing, and what
        is 0 on a logarithmic axis, is a gap. A method with one task has no conflict: there is no figure, and nothing is
        written.
    """
    plan, statistics = description.plan, description.statistics
    if len(plan.tasks) == 1:
        return None
    figure = Figure(figsize=(9.2, 6.8), layout="constrained")
    axes = figure.subplot_mosaic([["cosine", "cosine"], ["norms", "weights"]])
    units = loss_units(plan.training)
    _draw_cosine(axes["cosine"], histories, _cosine(plan.tasks))
    _draw_norms(axes["norms"], histories, {task: units[task] for task in plan.tasks})
    _draw_weights(axes["weights"], histories, plan.tasks)
    add_key(figure, histories, style_handles(plan.tasks))
    heading = f"{named(statistics.title, statistics.generated)}: conflict between the tasks"
    method = f"{plan.method}, weighting {plan.weighting.name}"
    figure.suptitle(f"{heading}\n{method}", fontsize=12)
    text = _text(histories, plan.tasks)
    return save(figure, path, Caption(dataset=plan.dataset, title=f"{heading}, {method}", description=text))


def _cosine(tasks: Sequence[Task]) -> str:
    return f"cosine_{'_'.join(tasks)}"


def _draw_cosine(axes: Axes, histories: Histories, column: str) -> None:
    axes.axhspan(-1, 0, color=CONFLICT, alpha=0.06, linewidth=0, zorder=0)
    axes.axhline(0, color="#404040", linewidth=0.8, zorder=1)
    for colour, history in coloured(histories):
        draw_noisy(axes, history["epoch"], history[column], "-", colour)
    finish(axes, "cosine between the gradients of semantics and height", "cosine")
    axes.set_ylim(-1, 1)
    pooled = pd.concat([history[column] for history in histories.values()])
    _note(axes, 0.75, "agreement")
    _note(axes, 0.25, fill(f"conflict: {_conflict(pooled)}", width=10))


def _draw_norms(axes: Axes, histories: Histories, units: dict[Task, str]) -> None:
    _draw_tasks(axes, histories, "norm", list(units), logarithmic=True)
    named_units = ",\n".join(f"{task}: {unit}" for task, unit in units.items())
    finish(axes, "norms of the gradients", f"L2 norm ({named_units})")


def _draw_weights(axes: Axes, histories: Histories, tasks: Sequence[Task]) -> None:
    values = pd.concat([history[f"weight_{task}"] for history in histories.values() for task in tasks])
    positive = values[values > 0]
    _draw_tasks(axes, histories, "weight", tasks, logarithmic=bool(positive.max() > WIDE * positive.min()))
    finish(axes, "weights of the tasks", "weight in the trunk")


def _draw_tasks(axes: Axes, histories: Histories, kind: str, tasks: Sequence[Task], logarithmic: bool) -> None:
    for task, style in zip(tasks, STYLES, strict=True):
        for colour, history in coloured(histories):
            values = history[f"{kind}_{task}"]
            shown = values.where(values.between(0, math.inf, inclusive="neither")) if logarithmic else values
            draw_noisy(axes, history["epoch"], shown, style, colour)
    if logarithmic:
        _set_logarithmic(axes)
    else:
        axes.set_ylim(bottom=0)
    _name_lines(axes, histories, kind, tasks)


def _set_logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1e4 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def _name_lines(axes: Axes, histories: Histories, kind: str, tasks: Sequence[Task]) -> None:
    """Name each task's lines where they end: dashes are hard to tell where those of many seeds lie on each other."""
    ends = {task: _ends(histories, f"{kind}_{task}")[1] for task in tasks}
    axes.autoscale_view()
    to_axes = axes.transData + axes.transAxes.inverted()
    places = sorted((float(to_axes.transform((0, end))[1]), task) for task, end in ends.items() if end > 0)
    push = max(0.0, APART - places[1][0] + places[0][0]) / 2 if len(places) == 2 else 0.0
    for (height, task), sign in zip(places, (-1, 1), strict=False):
        _note(axes, height + sign * push, task)


def _note(axes: Axes, height: float, text: str) -> None:
    """Write beside the axes, at a share of their height."""
    axes.text(1.01, height, text, transform=axes.transAxes, va="center", fontsize=9)


def _conflict(cosines: pd.Series) -> str:
    """Say how many of the known cosines are below 0."""
    known = cosines.dropna()
    return f"{100 * (known < 0).mean():.0f} % of {len(known):,} steps" if len(known) else "nothing measured"


def _text(histories: Histories, tasks: Sequence[Task]) -> str:
    """Say in words what the figure shows."""
    conflicts = "; ".join(f"{name}, {_conflict(history[_cosine(tasks)])}" for name, history in histories.items())
    columns = {"cosine": _cosine(tasks)}
    columns |= {f"{kind} of {task}": f"{kind}_{task}" for kind in ("norm", "weight") for task in tasks}
    courses = "; ".join(f"{name}, {_course(histories, column)}" for name, column in columns.items())
    return (
        "By epoch: cosine between the gradients of semantics and height at the features they share, norms of these "
        "gradients, and weights of the tasks. The cosine is below 0, which is conflict, in so many of the steps it was "
        f"measured at: {conflicts}. "
        f"Medians over all seeds in the first and in the last tenth of training: {courses}. {SMOOTHING}"
    )


def _course(histories: Histories, column: str) -> str:
    return " and ".join("not known" if math.isnan(end) else f"{end:.3g}" for end in _ends(histories, column))


def _ends(histories: Histories, column: str) -> tuple[float, float]:
    """Return the medians in the first and in the last tenth of the rows of all runs; NaN where none is known."""
    values = [(history[column], -(-len(history) // 10)) for history in histories.values()]
    first, last = [own.head(rows) for own, rows in values], [own.tail(rows) for own, rows in values]
    return float(pd.concat(first).median()), float(pd.concat(last).median())
