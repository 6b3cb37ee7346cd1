"""History of a training: the rows of ``history.csv``."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from mtlaerial.config.tasks import registry_order
from mtlaerial.errors import TrainingError
from mtlaerial.runs.history_columns import compared_key
from mtlaerial.runs.plan import RunPlan
from mtlaerial.system.files import writing
from mtlaerial.training.conflict_meter import conflict_columns
from mtlaerial.training.optimiser import learning_rate
from mtlaerial.training.process_group import Group
from mtlaerial.training.train_step import Update

log = logging.getLogger(__name__)


class History:
    """Rows of a training so far, and the updates to be averaged in the next row.

    Attributes
    ----------
    rows : list of dict
        ``step``, ``epoch``, ``learning_rate`` and ``loss_<task>``; with several tasks also ``weight_<task>``, norms and
        cosines of the tasks' gradients at each level (``norm_features_<task>``, ``cosine_parameters_<task>_<task>``);
        with 16-bit gradients ``skipped``, the updates without effect, as these overflowed; ``val_<score>`` and
        ``constant_<score>`` in the last row of an epoch that was validated.
    """

    def __init__(self, plan: RunPlan, device: torch.device) -> None:
        self.rows: list[dict[str, Any]] = []
        self._plan, self._device = plan, device
        self._pending: list[Update] = []

    def add(self, update: Update) -> None:
        """Add an update to the next row."""
        self._pending.append(update)

    def end_row(self, step: int) -> int:
        """Append the row of a step; return the number of updates since the last row.

        The row holds means over these updates, and norms and cosines of the tasks' gradients in the last of them. A
        loss is the mean over the batches with truth of the task. The weights of updates that had no effect do not
        count: after an overflow there are none to compute.

        Raises
        ------
        TrainingError
            When a loss is not finite.
        """
        updates, self._pending = self._pending, []
        tasks, spec = self._plan.tasks, self._plan.training
        losses = torch.stack([update.losses for update in updates])
        Group.current().add_up([losses])
        means = dict(zip(tasks, _means_with_truth(losses).tolist(), strict=True))
        epoch = step / spec.steps_per_epoch
        for task, mean in means.items():
            require_finite(math.isfinite(mean), self._plan, f"a {task} loss of {mean}", math.ceil(epoch))
        row = {"step": step, "epoch": epoch, "learning_rate": learning_rate(spec, step - 1, spec.steps)}
        row |= {f"loss_{task}": mean for task, mean in means.items()}
        if updates[-1].gramians is not None:
            weights = torch.stack([update.weights.cpu().double() for update in _effective(updates)]).mean(dim=0)
            row |= {f"weight_{task}": weight for task, weight in zip(tasks, weights.tolist(), strict=True)}
            row |= conflict_columns(updates[-1].gramians, tasks)
        row |= _skipped(updates, step)
        self.rows.append(row)
        return len(updates)

    def add_scores(self, scores: Mapping[str, float], constant: Mapping[str, float]) -> None:
        """Add scores of the validation tiles to the last row, and OA or MAE of the constant prediction there."""
        self.rows[-1] |= {f"val_{key}": value for key, value in scores.items()}
        tasks = sorted(self._plan.tasks, key=registry_order)
        compared = [key for key in map(compared_key, tasks) if key in scores and key in constant]
        self.rows[-1] |= {f"constant_{key}": constant[key] for key in compared}

    def row_of(self, epoch: int) -> Mapping[str, Any]:
        """Return the row at the end of an epoch."""
        return next(row for row in reversed(self.rows) if row["epoch"] == epoch)

    def last_evaluations(self, number: int, validated: bool) -> list[dict[str, Any]]:
        """Return the last rows with scores of the validation tiles; without such tiles, those at the ends of epochs.

        Empty where there are fewer than ``number``.
        """
        is_evaluation = _is_scored if validated else _ends_epoch
        rows = [row for row in self.rows if is_evaluation(row)]
        return rows[-number:] if len(rows) >= number else []

    @property
    def scored(self) -> bool:
        """Whether the last row has scores of the validation tiles."""
        return _is_scored(self.rows[-1])

    def save(self, path: Path) -> None:
        """Write the rows as CSV."""
        with writing(path) as partial:
            pd.DataFrame(self.rows).to_csv(partial, index=False, float_format="%.6g")

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, and the updates since the last one."""
        pending = [[update.losses, update.weights, update.skipped] for update in self._pending]
        return {"rows": self.rows, "pending": pending}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self.rows = list(state["rows"])
        # Conflict is measured in the update that ends a row, which is not among these: they need no Gram matrix.
        self._pending = [
            Update(losses.to(self._device), weights, None, skipped) for losses, weights, skipped in state["pending"]
        ]


def _means_with_truth(losses: Tensor) -> Tensor:
    """Return the means over updates, from shape (updates, tasks); a batch without truth of a task has a loss of 0."""
    return losses.sum(dim=0) / (losses != 0).sum(dim=0).clamp(min=1)


def _effective(updates: Sequence[Update]) -> Sequence[Update]:
    """Return the updates that were not skipped; all where each was."""
    return [update for update in updates if update.skipped is None or not bool(update.skipped)] or updates


def _is_scored(row: Mapping[str, Any]) -> bool:
    return any(key.startswith("val_") for key in row)


def _ends_epoch(row: Mapping[str, Any]) -> bool:
    return float(row["epoch"]).is_integer()


def _skipped(updates: Sequence[Update], step: int) -> dict[str, int]:
    """Return the column of skipped updates, and warn of them; empty in a precision that skips none."""
    skipped = [bool(update.skipped) for update in updates if update.skipped is not None]
    number = sum(skipped)
    if number:
        text = "%d of the %d updates up to step %d had no effect: their gradients overflowed in 16-bit floats. %s"
        remedy = "The scale of the losses is halved each time; if this goes on, use precision bf16-mixed or 32-true."
        log.warning(text, number, len(skipped), step, remedy)
    return {"skipped": number} if skipped else {}


def require_finite(finite: bool, plan: RunPlan, value: str, epoch: int) -> None:
    """Refuse to train on with a loss or weight that is not finite.

    Raises
    ------
    TrainingError
        When ``finite`` is false; it names the run, the value and the epoch.
    """
    if not finite:
        raise TrainingError(
            f"{plan.dataset}, {plan.method}, seed {plan.seed}", f"{value} in epoch {epoch}", "a finite one",
            "Lower training.learning_rate, or use precision 32-true; the last good epoch's state is kept.",
        )  # fmt: skip
