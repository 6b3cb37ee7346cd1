"""Figure of the conflict between the tasks' gradients over the training of one method."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.config import Task
from mtlaerial.config.tasks import registry_order
from mtlaerial.config.weighting import Level
from mtlaerial.figures.conflict_levels import cosine_columns, recorded_levels, with_levels
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
from mtlaerial.figures.task_lines import draw_tasks, start_and_end, write_beside
from mtlaerial.runs.history_columns import LEVELS, norm_column
from mtlaerial.runs.run import RunDescription

LOGARITHMIC_FROM = 10
"""Ratio of the largest weight to the smallest above which the axis is logarithmic."""
CONFLICT_COLOUR = "#b3261e"


def conflict_figure(histories: Histories, description: RunDescription, path: Path) -> Figure | None:
    """Draw by epoch the cosine between the tasks' gradients and their norms, at each level, and the tasks' weights.

    The gradients are those of the tasks' losses with respect to the shared features, and to the trunk's parameters.
    They conflict when their cosine is below 0. Only at the parameters does that mean that a small step down one loss
    raises the other (Yu et al. 2020, arXiv 2001.06782, definition 1); gradients that agree at the features may conflict
    there.

    Parameters
    ----------
    histories : mapping of name to DataFrame
        ``history.csv`` of each run; the name, "seed 1" for instance, is shown. Those of older versions have no values
        at the parameters.
    description : RunDescription
        Description of any of these runs, which differ only in their seeds.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure or None
        Axes for cosine and norms of each level, and for weights: points, and their running median. Missing cosines, and
        zeros on a logarithmic axis, are gaps. None, without a file, for a method with one task, which has no conflict.
    """
    plan, statistics = description.plan, description.statistics
    if len(plan.tasks) == 1:
        return None
    histories = with_levels(histories, plan.tasks)
    levels = recorded_levels(histories, plan.tasks)
    figure = Figure(figsize=(9.2, 3.4 * (1 + len(levels))), layout="constrained")
    axes = figure.subplot_mosaic(_mosaic(levels))
    units = {task: loss_unit(task, plan.training) for task in plan.tasks}
    for level in levels:
        works_here = level == plan.weighting.working_level
        _draw_cosine(axes[f"cosine {level}"], histories, cosine_columns(level, plan.tasks), level, works_here)
        _draw_norms(axes[f"norms {level}"], histories, units, level)
    _draw_weights(axes["weights"], histories, plan.tasks)
    add_legend(figure, histories, style_handles(plan.tasks))
    heading = f"{named(statistics.title, statistics.generated)}: conflict between the tasks"
    method = f"{plan.method}, weighting {plan.weighting.name}"
    figure.suptitle(f"{heading}\n{method}", fontsize=12)
    text = _description(histories, plan.tasks, levels, plan.weighting.working_level)
    return save(figure, path, Caption(dataset=plan.dataset, title=f"{heading}, {method}", description=text))


def _mosaic(levels: Sequence[Level]) -> Any:
    """Return the places of the axes: a column per level, or one level above norms and weights."""
    if len(levels) == 1:
        (level,) = levels
        return [[f"cosine {level}"] * 2, [f"norms {level}", "weights"]]
    rows = [[f"{kind} {level}" for level in levels] for kind in ("cosine", "norms")]
    return [*rows, ["weights"] * len(levels)]


def _listed(tasks: Sequence[Task]) -> str:
    *rest, last = sorted(tasks, key=registry_order)
    return f"{', '.join(rest)} and {last}"


def _draw_cosine(
    axes: Axes, histories: Histories, columns: Mapping[str, str], level: Level, works_here: bool
) -> None:  # fmt: skip
    axes.axhspan(-1, 0, color=CONFLICT_COLOUR, alpha=0.06, linewidth=0, zorder=0)
    axes.axhline(0, color="#404040", linewidth=0.8, zorder=1)
    for colour, history in with_colours(histories):
        for column, style in zip(columns.values(), cycle(STYLES), strict=False):
            draw_noisy(axes, history["epoch"], history[column], style, colour)
    note = "\n(the level of this method)" if works_here else ""
    format_axes(axes, f"cosine at the {LEVELS[level]}{note}", "cosine of the gradients")
    axes.set_ylim(-1, 1)
    if len(columns) > 1:
        axes.legend(handles=style_handles(columns), fontsize=9, frameon=False)
    write_beside(axes, 0.75, "agreement")
    conflict = "conflict of any pair" if len(columns) > 1 else "conflict"
    write_beside(axes, 0.25, fill(f"{conflict}: {_conflict_share(_least(histories, columns))}", width=10))


def _draw_norms(axes: Axes, histories: Histories, units: Mapping[Task, str], level: Level) -> None:
    draw_tasks(axes, histories, {task: norm_column(level, task) for task in units}, logarithmic=True)
    named_units = ",\n".join(f"{task}: {unit}" for task, unit in units.items())
    format_axes(axes, f"norms at the {LEVELS[level]}", f"L2 norm ({named_units})")


def _draw_weights(axes: Axes, histories: Histories, tasks: Sequence[Task]) -> None:
    columns = {task: f"weight_{task}" for task in tasks}
    values = _pooled(histories, columns)
    positive = values[values > 0]
    logarithmic = bool(positive.max() > LOGARITHMIC_FROM * positive.min())
    draw_tasks(axes, histories, columns, logarithmic)
    format_axes(axes, "weights of the tasks", "weight in the trunk")


def _pooled(histories: Histories, columns: Mapping[str, str]) -> pd.Series:
    values: pd.Series = pd.concat([table[column] for table in histories.values() for column in columns.values()])
    return values


def _least(histories: Histories, columns: Mapping[str, str]) -> pd.Series:
    """Return the least cosine of any pair of tasks at each step of all runs."""
    values: pd.Series = pd.concat([table[list(columns.values())].min(axis=1) for table in histories.values()])
    return values


def _conflict_share(least: pd.Series) -> str:
    """Return the share of measured steps whose least cosine is below 0 as text."""
    measured = least.dropna()
    return f"{100 * (measured < 0).mean():.0f} % of {len(measured):,} steps" if len(measured) else "nothing measured"


def _description(
    histories: Histories, tasks: Sequence[Task], levels: Sequence[Level], working_level: Level | None
) -> str:  # fmt: skip
    """Return the figure's contents as text."""
    at_levels = " ".join(_level_text(histories, tasks, level) for level in levels)
    weights = {f"weight of {task}": f"weight_{task}" for task in tasks}
    note = f" The method works at the {LEVELS[working_level]}." if working_level else ""
    pairs = ", and a step in conflict has one of any pair" if len(tasks) > 2 else ""
    missing = "" if "parameters" in levels else " Nothing was recorded at the trunk's parameters."
    return (
        f"By epoch: cosine between the gradients of {_listed(tasks)}, norms of these gradients, and weights of the "
        f"tasks. A cosine below 0 is conflict{pairs}.{note}{missing} {at_levels} "
        f"Weights: {_courses(histories, weights)}. "
        f"Numbers are medians over all seeds in the first and in the last tenth of training. {SMOOTHING}"
    )


def _level_text(histories: Histories, tasks: Sequence[Task], level: Level) -> str:
    cosines = cosine_columns(level, tasks)
    least = {run: _least({run: history}, cosines) for run, history in histories.items()}
    conflicts = "; ".join(f"{run}, {_conflict_share(values)}" for run, values in least.items())
    columns = {f"cosine of {pair}" if len(cosines) > 1 else "cosine": column for pair, column in cosines.items()}
    columns |= {f"norm of {task}": norm_column(level, task) for task in tasks}
    return f"At the {LEVELS[level]}: conflict in {conflicts}; {_courses(histories, columns)}."


def _courses(histories: Histories, columns: Mapping[str, str]) -> str:
    return "; ".join(f"{name}, {_course(histories, column)}" for name, column in columns.items())


def _course(histories: Histories, column: str) -> str:
    return " and ".join(map(_median_text, start_and_end(histories, column)))


def _median_text(median: float) -> str:
    return "not known" if math.isnan(median) else f"{median:.3g}"
