"""ExcessMTL: weights that grow with the distance of each task from its optimum."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor
from torchjd.aggregation import ExcessMTLWeighting

from mtlaerial.config import Section, Task
from mtlaerial.weighting.gradient_weighting import Level
from mtlaerial.weighting.row_weighting import RowWeighting
from mtlaerial.weighting.torchjd_adapter import buffers, excess_mtl_steps, restore, set_excess_mtl_steps, set_key

LEAST = torch.finfo(torch.float32).tiny
"""Weights stay above this: at 0 a task would be lost for ever."""


class ExcessMTL(RowWeighting):
    """Multiplies the weights by the tasks' excess risks relative to the first ones.

    ``E_t = g_tᵀ H_t⁻¹ g_t`` with ``H_t = diag(sqrt(sum of g_t² over the batches))``, ``w_t <- w_t exp(eta E_t / E_t0)``
    brought to a sum of 1; E_t0 is the mean over the first ``warmup`` batches, during which all weights are equal. He et
    al. 2024, arXiv 2402.02009, equations 6, 7 and 9; published at the parameters, and like there the heads are
    weighted too. Computed by TorchJD. The authors' code takes a warmup of one batch and weights that add up to the
    number of tasks; the paper (appendix C.1) takes three epochs and a sum of 1, as here.

    Each task's gradients are divided by the root mean square of its first ones, which cancels in E_t / E_t0: so weights
    do not depend on the scale of the losses, nor on the small number that keeps H_t from 0. Batches in which a task is
    absent change nothing; the others keep their weights.
    """

    paper = "He et al. 2024"
    state = "a sum of squared gradients per task (as large as the level's)"
    weighs_heads = True

    class Options(Section):
        """How fast the weights move; by default as in the authors' code."""

        level: Level = "parameters"
        step_size: PositiveFloat = 0.01
        """eta."""
        warmup: PositiveInt = 1
        """Batches from which the first excess risks are taken."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._method = ExcessMTLWeighting(options.step_size, options.warmup)
        self._weights = torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64)
        self._scale: Tensor | None = None

    @property
    def tracks_parameters(self) -> bool:
        """Whether the level is that of the parameters."""
        return self.level == "parameters"

    def weights(self, rows: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weights, moved if all tasks take part."""
        if bool(active.all()):
            if self._scale is None:
                self._scale = torch.linalg.vector_norm(rows, dim=1, keepdim=True) / rows.shape[1] ** 0.5
            self._weights = self._moved(rows.div_(self._scale.to(rows.device)))
        return self._weights

    def _moved(self, rows: Tensor) -> Tensor:
        self._method.to(rows.device)
        set_key(self._method, (*rows.shape, rows.dtype, rows.device))  # the state may have come from another device
        weights: Tensor = self._method(rows)
        self._method.register_buffer("_weights", weights.clamp(min=LEAST))
        return weights.cpu().double()

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, and after the first batch the gradients' scale and TorchJD's state."""
        state: dict[str, Any] = {"weights": self._weights}
        if self._scale is not None:
            sums = buffers(self._method)
            state |= {"scale": self._scale, "steps": excess_mtl_steps(self._method), "sums": sums}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._weights, self._scale = state["weights"], state.get("scale")
        restore(self._method, state.get("sums", {}))
        set_excess_mtl_steps(self._method, state.get("steps", 0))
