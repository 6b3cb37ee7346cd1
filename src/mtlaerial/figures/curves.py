"""Learning curves of the runs of one method."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mtlaerial.figures.style import CYCLE, Caption, named, save
from mtlaerial.runs import RunDescription

STYLES: tuple[Literal["-", "--"], ...] = ("-", "--")
"""Of the two scores that share axes."""


def curves_figure(histories: Mapping[str, pd.DataFrame], description: RunDescription, path: Path) -> Figure:
    """Draw losses and validation scores by epoch.

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
    Figure
        With axes for each task's loss, for OA and mIoU, and for MAE and RMSE, as far as the histories have them.
    """
    plan, statistics = description.plan, description.statistics
    panels = _panels(description, {column for table in histories.values() for column in table.columns})
    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.0 * rows + 0.8), layout="constrained")
    colours = [CYCLE[index % len(CYCLE)] for index in range(len(histories))]
    for number, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, columns, number)
        for colour, history in zip(colours, histories.values(), strict=True):
            _draw(axes, history, panel.columns, colour)
        _finish(axes, panel)
    handles = [Line2D([], [], color=colour, label=name) for colour, name in zip(colours, histories, strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=9, frameon=False)
    heading = f"{named(statistics.title, statistics.generated)}: learning curves of {plan.method}"
    figure.suptitle(heading, fontsize=12)
    text = f"By epoch, for {', '.join(histories)}: {'; '.join(panel.title for panel in panels)}."
    return save(figure, path, Caption(dataset=plan.dataset, title=heading, description=text))


class _Panel(NamedTuple):
    """One pair of axes."""

    title: str
    unit: str
    columns: list[str]


def _panels(description: RunDescription, present: set[str]) -> list[_Panel]:
    training = description.plan.training
    kind = {"l1": "L1", "huber": "Huber"}[training.height_loss]
    unit = "m" if training.height_unit == 1 else f"units of {training.height_unit:g} m"
    panels = [
        _Panel("training loss of semantics", "cross entropy (nat)", ["loss_semantics"]),
        _Panel("training loss of height", f"{kind} loss ({unit})", ["loss_height"]),
        _Panel("validation of semantics", "share (%)", ["val_OA", "val_mIoU"]),
        _Panel("validation of height", "error (m)", ["val_MAE", "val_RMSE"]),
    ]
    found = [panel._replace(columns=[name for name in panel.columns if name in present]) for panel in panels]
    return [panel for panel in found if panel.columns]


def _draw(axes: Axes, history: pd.DataFrame, columns: list[str], colour: str) -> None:
    for column, style in zip(columns, STYLES, strict=False):
        if column in history:
            points = history[["epoch", column]].dropna()
            scale = 100 if column in ("val_OA", "val_mIoU") else 1
            marker = "." if len(points) <= 30 else ""
            axes.plot(points["epoch"], scale * points[column], style, color=colour, marker=marker, linewidth=1.4)


def _finish(axes: Axes, panel: _Panel) -> None:
    axes.set_title(panel.title, fontsize=10)
    axes.set(xlabel="epoch", ylabel=panel.unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if len(panel.columns) > 1:
        names = [column.removeprefix("val_") for column in panel.columns]
        handles = [Line2D([], [], linestyle=style, color="#404040", label=name)
                   for style, name in zip(STYLES, names, strict=True)]  # fmt: skip
        axes.legend(handles=handles, fontsize=9, frameon=False)
