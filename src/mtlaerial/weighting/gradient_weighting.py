"""Bases of weightings by gradients: each task's gradient is measured before they are added up."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.base import Pass, Step, Weighting
from mtlaerial.weighting.task_gradients import (
    Gradients,
    TaskGradients,
    assign,
    assign_heads,
    gramian,
    loss_values,
    through_heads,
    unmeasured,
    weighted,
)

Level = Literal["features", "parameters"]


class TaskGradientWeighting(Weighting):
    """Looks at each task's gradients before they are added up, at one of two levels.

    Features: the gradients with respect to the trunk's output, so that the trunk's backward pass runs once whatever the
    number of tasks. Parameters: those with respect to the trunk's parameters, a backward pass of the trunk per task.
    """

    family = "gradients"
    cost = "of its level"

    class Options(Section):
        """The level of the gradients; by default the one of the publication."""

        level: Level = "parameters"

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self.level: Level = options.level

    def cuts(self, parts: int) -> bool:
        """Return True: the heads' backward passes end at the features."""
        return True


class GradientWeighting(TaskGradientWeighting):
    """Weights from a measure of the tasks' gradients.

    ``measure`` reduces the gradients to a tensor with a row per task, such as their inner products; ``decide`` turns it
    into weights. At the features, measures of several passes are summed.

    Tasks without a gradient in a batch (no valid pixels, or a loss of 0) do not take part: their weight is 0.

    With gradients accumulated over several passes the weights follow from the whole batch. Then the features need a
    backward pass of the trunk per task as well, since the graph of a pass is freed before the weights are known.
    """

    weighs_heads: ClassVar[bool] = False
    """Whether the heads' gradients are weighted too; else each head follows its task's loss."""

    @abstractmethod
    def measure(self, gradients: Gradients) -> Tensor:
        """Return the measure of the tasks' gradients, a row per task; at the features those of passes add up."""

    @abstractmethod
    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights.

        Parameters
        ----------
        table : Tensor, shape (tasks, ...)
            Measure of the whole batch.
        losses : Tensor, shape (tasks,), float32
        factor : float
            Scale of the gradients, for 16-bit floats.

        Returns
        -------
        Tensor, shape (tasks,), float64, on the CPU
        """

    def combine(self, gradients: Gradients, weights: list[float], factor: float) -> list[Tensor]:
        """Return the trunk's gradient, or the features', from the tasks' gradients; both scaled by the factor."""
        return weighted(gradients, weights)

    def head_weights(self, weights: Tensor, losses: Tensor) -> Tensor | None:
        """Return the weight of each head, from those of the trunk and the losses; None where all follow their own."""
        return weights if self.weighs_heads else None

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update."""
        super().begin(step)
        at_features = self.level == "features"
        self._sums = TaskGradients(step, self.measure if at_features else unmeasured)
        self._waits = at_features and step.parts == 1
        self._waiting: Pass | None = None

    def add(self, part: Pass) -> None:
        """Run the backward passes; a single pass at the features waits for its weights instead, graph and all."""
        if self._waits:
            self._waiting = part
        else:
            self._sums.add(part)

    def finish(self) -> Tensor:
        """Weigh the gradients and leave them at the parameters."""
        if self._waiting is None:
            return self._weigh_sums()
        part, self._waiting = self._waiting, None
        return self._weigh_pass(part)

    def _weigh_sums(self) -> Tensor:
        step, sums = self.step, self._sums.total()
        # The table gets no name: rows are as large as all gradients and must not outlive the decision.
        weights = self.decide(
            sums.table if self.level == "features" else self.measure(sums.trunk), sums.losses, step.factor
        )
        assign(step.trunk, self.combine(sums.trunk, weights.tolist(), step.factor))
        assign_heads(step, sums.heads, self.head_weights(weights, sums.losses))
        del self._sums
        return weights

    def _weigh_pass(self, part: Pass) -> Tensor:
        step = self.step
        at_features, at_heads = through_heads(part, step)
        table, losses = self.measure(at_features), loss_values(part)
        # Added up before the decision: weights follow from the whole batch and are the same in all processes.
        step.add_up([table, losses])
        weights = self.decide(table, losses, step.factor)
        # One backward pass of the trunk, from the combined gradient at its output, whatever the number of tasks.
        torch.autograd.backward(part.features, self.combine(at_features, weights.tolist(), step.factor))
        assign_heads(step, at_heads, self.head_weights(weights, losses))
        step.add_up_gradients()
        return weights


class GramianWeighting(GradientWeighting):
    """Weights from the inner products of the tasks' gradients."""

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

    def measure(self, gradients: Gradients) -> Tensor:
        """Return the inner products, shape (tasks, tasks)."""
        return gramian(gradients)

    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights of the tasks that take part, and 0 for the others."""
        # In double precision on the CPU: solvers subtract products of sizes that lie orders of magnitude apart.
        products, losses = table.cpu().double() / factor**2, losses.cpu().double()
        weights = torch.zeros(len(losses), dtype=torch.float64)
        if not bool(products.isfinite().all()):
            return weights + 1  # an overflow: the optimiser skips the step in 16-bit floats, else the loss is reported
        # A task without gradient would make the matrix of products singular.
        active = products.diagonal() > 0
        if bool(active.any()):
            weights[active] = self.weights(products[active][:, active], losses[active], active)
        return weights
