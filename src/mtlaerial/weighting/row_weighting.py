"""Bases of weightings by the gradients themselves, not only their inner products: batches are compared or averaged."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.gradient_weighting import GradientWeighting, Level
from mtlaerial.weighting.task_gradients import Gradients


def rows(gradients: Gradients, level: Level) -> Tensor:
    """Bring each task's gradients to a row that can be compared with those of another batch.

    A parameter is the same in all batches, a feature is not: it belongs to one pixel of one patch. Of the features
    remains the gradient with respect to a constant that is added to a channel.

    Parameters
    ----------
    gradients : list of tuple of Tensor
        Those with respect to features have shape (patches, channels, ...).
    level : {"features", "parameters"}

    Returns
    -------
    Tensor, shape (tasks, k), float32
        k values: one per parameter, or one per channel and scale.
    """
    parts = [_row(gradient, level) for task in gradients for gradient in task]
    return torch.cat(parts).view(len(gradients), -1)


def _row(gradient: Tensor, level: Level) -> Tensor:
    if level == "parameters":
        return gradient.flatten().float()
    others = [dim for dim in range(gradient.dim()) if dim != 1]
    return gradient.sum(others, dtype=torch.float32)


class RowWeighting(GradientWeighting):
    """Weights from the tasks' gradients themselves; see :func:`rows`."""

    @abstractmethod
    def weights(self, rows: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weight of every task; those that do not take part get 0 whatever is returned for them.

        Parameters
        ----------
        rows : Tensor, shape (tasks, k), float32, on the device
            The gradients; may be changed in place. 0 where a task does not take part.
        losses : Tensor, shape (tasks,), float64, on the CPU
        active : Tensor of bool, shape (tasks,), on the CPU
            Which tasks take part.

        Returns
        -------
        Tensor, shape (tasks,), float64, on the CPU
        """

    def measure(self, gradients: Gradients) -> Tensor:
        """Return the rows, shape (tasks, k)."""
        return rows(gradients, self.level)

    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights of the tasks that take part, and 0 for the others."""
        table.div_(factor)
        # One transfer for both: each would wait for the device.
        extents, losses = torch.stack([torch.linalg.vector_norm(table, torch.inf, dim=1), losses]).cpu().double()
        active = (extents > 0) & (losses != 0)
        if not bool(active.any()):
            return torch.zeros_like(losses)
        return torch.where(active, self.weights(table, losses, active), 0.0)


class TrackingWeighting(RowWeighting):
    """Weights from gradients that are averaged over the batches.

    At the parameters the averages themselves make the update, each times its weight. At the features of other batches
    nothing can be added up: there the weights follow from the averages, and apply to the gradients of this batch.
    """

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._average: Tensor | None = None

    @property
    def tracks_parameters(self) -> bool:
        """Whether the level is that of the parameters."""
        return self.level == "parameters"

    def track(self, rows: Tensor, shares: Tensor) -> Tensor:
        """Move each task's average, 0 at first, by its share towards the new row; return the averages.

        Parameters
        ----------
        rows : Tensor, shape (tasks, k)
        shares : Tensor, shape (tasks,)
            From 0 to 1; 0 leaves an average as it is.

        Returns
        -------
        Tensor, shape (tasks, k)
        """
        average = torch.zeros_like(rows) if self._average is None else self._average.to(rows.device)
        self._average = average.lerp_(rows, shares.to(rows)[:, None])
        return self._average

    def combine(self, gradients: Gradients, weights: list[float], factor: float) -> list[Tensor]:
        """Return the weighted sum of the averages, or at the features, or after an overflow, of the gradients."""
        if self.level == "features" or self._average is None or not self.finite:
            return super().combine(gradients, weights, factor)
        # Averages hold unscaled gradients; the optimiser expects the scale of 16-bit training.
        total = factor * (self._average.new_tensor(weights) @ self._average)
        parts = torch.split(total, [gradient.numel() for gradient in gradients[0]])
        return [part.view_as(like).to(like.dtype) for part, like in zip(parts, gradients[0], strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return the averages; nothing before the first batch."""
        return {} if self._average is None else {"average": self._average.clone()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._average = state["average"].clone() if "average" in state else None
