"""Panels of learning curves: the columns of a history that share axes, with titles and units."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from mtlaerial.config import Task, TrainingSpec, task_entry
from mtlaerial.config.tasks import registry_order
from mtlaerial.figures.loss_labels import loss_name, loss_unit
from mtlaerial.runs.history_columns import loss_column, score_columns


class Panel(NamedTuple):
    """Axes over epochs, and the columns drawn in them."""

    title: str
    unit: str
    columns: list[str]
    scale: float = 1.0
    """Factor from values to the unit."""


def learning_panels(training: TrainingSpec, tasks: Sequence[Task], present: Collection[str]) -> list[Panel]:
    """Return the panels of losses and validation scores of some tasks, with the columns that are present."""
    ordered = sorted(tasks, key=registry_order)
    panels = [_loss_panel(task, training) for task in ordered] + [_score_panel(task) for task in ordered]
    drawn = []
    for panel in panels:
        columns = [name for name in panel.columns if name in present]
        if columns:
            drawn.append(panel._replace(columns=columns))
    return drawn


def _loss_panel(task: Task, training: TrainingSpec) -> Panel:
    unit = f"{loss_name(task, training)} ({loss_unit(task, training)})"
    return Panel(f"training loss of {task}", unit, [loss_column(task)])


def _score_panel(task: Task) -> Panel:
    title, columns = f"validation of {task}", list(score_columns(task))
    if task_entry(task).metrics == "classes":
        return Panel(title, "share (%)", columns, scale=100)
    return Panel(title, "error (m)", columns)
