"""What learning curves show: which columns of a history share axes, their titles and units."""

from collections.abc import Collection
from typing import NamedTuple

from mtlaerial.config import TrainingSpec
from mtlaerial.figures.series import loss_units


class Panel(NamedTuple):
    """One pair of axes over epochs."""

    title: str
    unit: str
    columns: list[str]
    scale: float = 1.0
    """What values are multiplied by."""


def learning_panels(training: TrainingSpec, present: Collection[str]) -> list[Panel]:
    """Return the panels of losses and validation scores, with the columns that are present."""
    kind, units = {"l1": "L1", "huber": "Huber"}[training.height_loss], loss_units(training)
    panels = [
        Panel("training loss of semantics", f"cross entropy ({units['semantics']})", ["loss_semantics"]),
        Panel("training loss of height", f"{kind} loss ({units['height']})", ["loss_height"]),
        Panel("validation of semantics", "share (%)", ["val_OA", "val_mIoU"], scale=100),
        Panel("validation of height", "error (m)", ["val_MAE", "val_RMSE"]),
    ]
    found = [panel._replace(columns=[name for name in panel.columns if name in present]) for panel in panels]
    return [panel for panel in found if panel.columns]
