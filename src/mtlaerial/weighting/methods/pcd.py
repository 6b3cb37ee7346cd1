"""Priority-constrained descent: one task's gradient, bent as little as the other's progress asks for."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torchjd.aggregation import PCDWeighting

from mtlaerial.config import Task
from mtlaerial.errors import ConfigError
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.torchjd_adapter import buffers, restore
from mtlaerial.weighting.weight_reuse import CostlyOptions


class PCD(GramianWeighting):
    """The nearest direction to the primary task's gradient along which the others fall by a share of their own pace.

    ``min_d ||d - h_1||²`` with ``h_t . d >= tau ||h_t||²`` for all other tasks t, brought to the length of g_1; h_t is
    g_t over the root of the mean square of its norm so far (decay beta, corrected for its beginning): Varam & AlHajri
    2026, arXiv 2606.29521, algorithm 1, published at the parameters. Solved by TorchJD. The authors add 1e-8 to the
    mean squares; here nothing is added, since small gradients may have smaller squares. A batch without one of the
    tasks has the others' plain sum for an update, and is not noted.

    Raises
    ------
    ConfigError
        When the primary task is not learned.
    """

    paper = "Varam & AlHajri 2026"
    state = "mean squares of norms"

    class Options(CostlyOptions):
        """The primary task, the share granted to the others, and the decay of the mean norms."""

        primary: Task | None = None
        """The task that is followed; by default the first of the method's tasks."""
        tau: float = Field(default=0.02, ge=0, le=1)
        """Share of their own pace that is granted to the others."""
        beta: float = Field(default=0.999, ge=0, lt=1)
        """Decay of the mean squares."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        primary = options.primary or tasks[0]
        if primary not in tasks:
            expected = f"one of the tasks {', '.join(tasks)}"
            raise ConfigError("weighting pcd, key primary", primary, expected, "Name a task that is learned.")
        first = tasks.index(primary)
        self._order = [first, *(number for number in range(len(tasks)) if number != first)]
        self._solve = PCDWeighting(options.tau, options.beta, eps=0.0)

    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the solver's weights; it takes the primary task first."""
        weights = torch.ones(len(gramian), dtype=gramian.dtype)
        if bool(active.all()):
            weights[self._order] = self._solve(gramian[self._order][:, self._order])
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Return the mean squares, and over how many steps; nothing before the first."""
        averages = buffers(self._solve)
        if "_sq_norm_ema" not in averages:
            return super().state_dict()
        squares = {"squares": averages["_sq_norm_ema"], "steps": int(averages["_n_steps"])}
        return {**super().state_dict(), **squares}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        super().load_state_dict(state)
        averages = {}
        if "squares" in state:
            averages = {"_sq_norm_ema": state["squares"], "_n_steps": torch.tensor(state["steps"])}
        restore(self._solve, averages, key=len(self.tasks))
