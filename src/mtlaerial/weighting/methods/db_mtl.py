"""DB-MTL: losses brought to a scale by the logarithm, gradients by their largest norm."""

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.row_weighting import TrackingWeighting

LEAST = 1e-8
"""Added to losses before the logarithm, as in the authors' code."""


class DBMTL(TrackingWeighting):
    """Averages the gradients of the log losses over batches and brings each average to the largest one's norm.

    ``m_t <- b m_t + (1 - b) g_t / L_t`` with ``b = beta / n^decay`` in a task's n-th batch, m_t = 0 at first; update
    ``sum_t (max_s ||m_s|| / ||m_t||) m_t``. Heads follow ``log L_t``. Lin et al. 2023, arXiv 2308.12029; published at
    the parameters. The weights that are told are those of the m_t; at the features those of the g_t, which contain
    1 / L_t.

    The update does not depend on the scale of any loss. Absent tasks keep their average.
    """

    paper = "Lin et al. 2023"
    state = "an average gradient per task (as large as the level's)"

    class Options(Section):
        """How long gradients are remembered; by default as in LibMTL, whose authors' method this is."""

        level: Level = "parameters"
        beta: Annotated[float, Field(ge=0, lt=1)] = 0.9
        """Share of the old average in the new one."""
        decay: NonNegativeFloat = 0.0
        """How fast that share falls: it is divided by the number of batches to this power."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._batches = torch.zeros(len(tasks), dtype=torch.float64)

    def weights(self, rows: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the factors that bring each average to the largest norm."""
        # The gradient of log L is g / L: it does not depend on the scale of the loss.
        per_loss = self.head_weights(losses, losses)
        self._batches = self._batches + active
        decay = self.options.beta / self._batches.clamp(min=1) ** self.options.decay
        averages = self.track(rows.mul_(per_loss.to(rows)[:, None]), (1 - decay) * active)
        norms = torch.linalg.vector_norm(averages, dim=1).cpu().double()
        lengthened: Tensor = norms[active].max() / norms
        return lengthened if self.level == "parameters" else lengthened * per_loss

    def head_weights(self, weights: Tensor, losses: Tensor) -> Tensor:
        """Return the slope of each logarithm, whatever the weights."""
        slopes: Tensor = 1 / (losses + LEAST)
        return slopes

    def state_dict(self) -> dict[str, Any]:
        """Return averages, and the number of batches of each task."""
        return {**super().state_dict(), "batches": self._batches}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        self._batches = state["batches"]
