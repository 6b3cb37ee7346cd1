"""Learning curves of the runs of one method."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mtlaerial.figures.panels import Panel, learning_panels
from mtlaerial.figures.series import (
    SMOOTHING,
    STYLES,
    Histories,
    add_legend,
    draw_line,
    draw_noisy,
    draw_ring,
    format_axes,
    ring_handle,
    style_handles,
    with_colours,
)
from mtlaerial.figures.style import Caption, named, save
from mtlaerial.runs.run import RunDescription

CHOSEN = "chosen epoch"


def curves_figure(histories: Histories, runs: Sequence[RunDescription], path: Path) -> Figure:
    """Draw losses and validation scores by epoch; mark the epochs that validation chose.

    Parameters
    ----------
    histories : mapping of name to DataFrame
        ``history.csv`` of each run; the name, "seed 1" for instance, is shown.
    runs : sequence of RunDescription
        Descriptions of these runs, in the same order.
    path : Path
        The PNG to write.

    Returns
    -------
    Figure
        Axes for each task's loss, for OA and mIoU, and for MAE and RMSE, as far as the histories have them. Losses,
        which have a row every few steps, are drawn as points and their running median.
    """
    plan, statistics = runs[0].plan, runs[0].statistics
    chosen = [_chosen_epoch(run, table) for run, table in zip(runs, histories.values(), strict=True)]
    present = {column for table in histories.values() for column in table.columns}
    panels = learning_panels(plan.training, plan.tasks, present)
    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.0 * rows + 0.8), layout="constrained")
    for number, panel in enumerate(panels, start=1):
        _draw(figure.add_subplot(rows, columns, number), panel, histories, chosen)
    add_legend(figure, histories, _chosen_handles(chosen))
    heading = f"{named(statistics.title, statistics.generated)}: learning curves of {plan.method}"
    figure.suptitle(heading, fontsize=12)
    text = f"By epoch, for {', '.join(histories)}: {'; '.join(panel.title for panel in panels)}. {SMOOTHING}"
    text += _chosen_text(histories, chosen)
    return save(figure, path, Caption(dataset=plan.dataset, title=heading, description=text))


def _draw(axes: Axes, panel: Panel, histories: Histories, chosen: Sequence[int | None]) -> None:
    for (colour, history), epoch in zip(with_colours(histories), chosen, strict=True):
        for column, style in zip(panel.columns, STYLES, strict=False):
            if column in history:
                points = history[["epoch", column]].dropna()
                scores = panel.scale * points[column]
                if column.startswith("val_"):
                    draw_line(axes, points["epoch"], scores, style, colour)
                    draw_ring(axes, points["epoch"], scores, epoch, colour)
                else:
                    draw_noisy(axes, points["epoch"], scores, style, colour)
    format_axes(axes, panel.title, panel.unit)
    axes.set_ylim(bottom=0)
    if len(panel.columns) > 1:
        handles = style_handles(column.removeprefix("val_") for column in panel.columns)
        axes.legend(handles=handles, fontsize=9, frameon=False)


def _chosen_epoch(run: RunDescription, history: pd.DataFrame) -> int | None:
    """Return the epoch of a run's weights if they were chosen by validation."""
    validated = any(column.startswith("val_") for column in history.columns)
    return run.epoch if validated and run.plan.training.selection == "best" else None


def _chosen_handles(chosen: Sequence[int | None]) -> list[Line2D]:
    return [ring_handle(CHOSEN)] if any(chosen) else []


def _chosen_text(histories: Histories, chosen: Sequence[int | None]) -> str:
    """Return a sentence on the epochs of the weights that were chosen by validation; empty if none were."""
    epochs = [f"{name}, epoch {epoch}" for name, epoch in zip(histories, chosen, strict=True) if epoch]
    return f" Rings mark the epochs whose weights validated best and were kept: {'; '.join(epochs)}." if epochs else ""
