"""Base of weightings by the inner products of the tasks' gradients."""

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mtlaerial.config import Task
from mtlaerial.weighting.base import Pass, Step
from mtlaerial.weighting.gradient_weighting import GradientWeighting
from mtlaerial.weighting.task_gradients import CombinedGradients, Gradients, gramian, weighted
from mtlaerial.weighting.weight_reuse import CostlyOptions, WeightReuse


class GramianWeighting(GradientWeighting):
    """Weights from the inner products of the tasks' gradients.

    With :class:`CostlyOptions` they are those of one update in ``every`` so many, in which all tasks take part.
    """

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._reuse = WeightReuse(options.every if isinstance(options, CostlyOptions) else 1)

    @abstractmethod
    def weights(self, gramian: Tensor, losses: Tensor, active: Tensor) -> Tensor:
        """Return the weight of each task that takes part; unlike ``RowWeighting.weights``, of these alone.

        Parameters
        ----------
        gramian : Tensor, shape (n, n), float64, on the CPU
            Inner products of the gradients of the n tasks that take part.
        losses : Tensor, shape (n,), float64, on the CPU
        active : Tensor of bool, shape (tasks,)
            Which tasks take part.

        Returns
        -------
        Tensor, shape (n,), float64
        """

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update: one that computes weights, or one that reuses them."""
        super().begin(step)
        self._reused = self._reuse.weights()
        self._combined: CombinedGradients | None = None
        if self._reused is not None:
            self._combined = CombinedGradients(step, partial(weighted, factors=self._reused.tolist()))

    def add(self, part: Pass) -> None:
        """Run the backward passes, apart or of the gradients' combination."""
        if self._combined is None:
            super().add(part)
        else:
            self._combined.add(part)

    def finish(self) -> Tensor:
        """Leave the gradients at the parameters."""
        if self._combined is None:
            return super().finish()
        assert self._reused is not None  # both are set together
        losses = self._combined.finish()
        if bool(self.step.gradients_are_finite()):
            self._reuse.count()
        return torch.where(losses.cpu() != 0, self._reused, 0.0)

    def measure(self, gradients: Gradients) -> Tensor:
        """Return the inner products, shape (tasks, tasks)."""
        return gramian(gradients)

    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights of the tasks that take part, and 0 for the others."""
        # In double precision on the CPU: solvers subtract products of sizes that lie orders of magnitude apart.
        products, losses = table.cpu().double() / factor**2, losses.cpu().double()
        weights = torch.zeros(len(losses), dtype=torch.float64)
        # A task without gradient would make the matrix of products singular.
        active = products.diagonal() > 0
        if bool(active.any()):
            weights[active] = self.weights(products[active][:, active], losses[active], active)
        if bool(active.all()):
            self._reuse.take(weights)
        return weights

    def state_dict(self) -> dict[str, Any]:
        """Return the weights that are reused; nothing where each update computes its own."""
        return self._reuse.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._reuse.load_state_dict(state)
