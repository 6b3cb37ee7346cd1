"""Learning curves of the runs of one method."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtlaerial.figures.panels import Panel, learning_panels
from mtlaerial.figures.series import (
    SMOOTHING,
    STYLES,
    Histories,
    add_legend,
    draw_line,
    draw_noisy,
    format_axes,
    style_handles,
    with_colours,
)
from mtlaerial.figures.style import Caption, named, save
from mtlaerial.runs.run import RunDescription


def curves_figure(histories: Histories, description: RunDescription, path: Path) -> Figure:
    """Draw losses and validation scores by epoch.

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
    Figure
        Axes for each task's loss, for OA and mIoU, and for MAE and RMSE, as far as the histories have them. Losses,
        which have a row every few steps, are drawn as points and their running median.
    """
    plan, statistics = description.plan, description.statistics
    panels = learning_panels(plan.training, {column for table in histories.values() for column in table.columns})
    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.0 * rows + 0.8), layout="constrained")
    for number, panel in enumerate(panels, start=1):
        _draw(figure.add_subplot(rows, columns, number), panel, histories)
    add_legend(figure, histories)
    heading = f"{named(statistics.title, statistics.generated)}: learning curves of {plan.method}"
    figure.suptitle(heading, fontsize=12)
    text = f"By epoch, for {', '.join(histories)}: {'; '.join(panel.title for panel in panels)}. {SMOOTHING}"
    return save(figure, path, Caption(dataset=plan.dataset, title=heading, description=text))


def _draw(axes: Axes, panel: Panel, histories: Histories) -> None:
    for colour, history in with_colours(histories):
        for column, style in zip(panel.columns, STYLES, strict=False):
            if column in history:
                points = history[["epoch", column]].dropna()
                draw = draw_line if column.startswith("val_") else draw_noisy
                draw(axes, points["epoch"], panel.scale * points[column], style, colour)
    format_axes(axes, panel.title, panel.unit)
    axes.set_ylim(bottom=0)
    if len(panel.columns) > 1:
        handles = style_handles(column.removeprefix("val_") for column in panel.columns)
        axes.legend(handles=handles, fontsize=9, frameon=False)
