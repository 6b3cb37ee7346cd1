"""Panels of learning curves: the columns of a history that share axes, with titles and units."""

from collections.abc import Collection
from typing import NamedTuple

from mtlaerial.config import TrainingSpec
from mtlaerial.figures.series import loss_units


class Panel(NamedTuple):
    """Axes over epochs, and the columns drawn in them."""

    title: str
    unit: str
    columns: list[str]
    scale: float = 1.0
    """Factor from values to the unit."""


def learning_panels(training: TrainingSpec, present: Collection[str]) -> list[Panel]:
    """Return the panels of losses and validation scores, with the columns that are present."""
    height_loss, units = {"l1": "L1", "huber": "Huber"}[training.height_loss], loss_units(training)
    panels = [
        Panel("training loss of semantics", f"cross entropy ({units['semantics']})", ["loss_semantics"]),
        Panel("training loss of height", f"{height_loss} loss ({units['height']})", ["loss_height"]),
        Panel("validation of semantics", "share (%)", ["val_OA", "val_mIoU"], scale=100),
        Panel("validation of height", "error (m)", ["val_MAE", "val_RMSE"]),
    ]
    drawn = []
    for panel in panels:
        columns = [name for name in panel.columns if name in present]
        if columns:
            drawn.append(panel._replace(columns=columns))
    return drawn
