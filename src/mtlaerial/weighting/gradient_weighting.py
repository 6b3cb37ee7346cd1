"""Bases of weightings by gradients: each task's gradient is measured before they are added up."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from mtlaerial.config import Section, Task
from mtlaerial.weighting.base import Pass, Step, Weighting, all_finite
from mtlaerial.weighting.task_gradients import (
    Gradients,
    TaskGradients,
    assign,
    assign_heads,
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
    finite = True
    """Whether measure and losses of the last batch were finite, and the gradients of its heads."""

    @abstractmethod
    def measure(self, gradients: Gradients) -> Tensor:
        """Return the measure of the tasks' gradients, a row per task; at the features those of passes add up."""

    @abstractmethod
    def decide(self, table: Tensor, losses: Tensor, factor: float) -> Tensor:
        """Return the weights of a batch whose measure, losses and heads' gradients are finite.

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
        """Weigh the gradients and leave them at the parameters; an overflow in any of them leaves the state as it was.

        The weights are decided before the trunk's gradients are known: a state that moved is taken back.
        """
        # Averages as large as the gradients, which are not copied, move at the level of the parameters alone, where
        # all gradients are known before.
        before = None if self.tracks_parameters else self.state_dict()
        part, self._waiting = self._waiting, None
        weights = self._weigh_sums() if part is None else self._weigh_pass(part)
        # Without a state the host need not wait for the gradients.
        if before is not None and self.state_dict() and not bool(self.step.gradients_are_finite()):
            self.load_state_dict(before)
        return weights

    def _weigh_sums(self) -> Tensor:
        step, sums = self.step, self._sums.total()
        heads = [gradient for head in sums.heads for gradient in head]
        overflow = ~all_finite([sums.losses, *heads])
        # The table gets no name: rows are as large as all gradients and must not outlive the decision.
        weights = self._decide(
            sums.table if self.level == "features" else self.measure(sums.trunk), sums.losses, overflow
        )
        assign(step.trunk, self.combine(sums.trunk, weights.tolist(), step.factor))
        assign_heads(step, sums.heads, self.head_weights(weights, sums.losses))
        del self._sums
        return weights

    def _weigh_pass(self, part: Pass) -> Tensor:
        step = self.step
        at_features, at_heads = through_heads(part, step)
        table, losses = self.measure(at_features), loss_values(part)
        overflow = (~all_finite([losses, *(gradient for head in at_heads for gradient in head)])).float()
        # Added up before the decision: weights follow from the whole batch and are the same in all processes.
        step.add_up([table, losses, overflow])
        weights = self._decide(table, losses, overflow)
        # One backward pass of the trunk, from the combined gradient at its output, whatever the number of tasks.
        torch.autograd.backward(part.features, self.combine(at_features, weights.tolist(), step.factor))
        assign_heads(step, at_heads, self.head_weights(weights, losses))
        step.add_up_gradients()
        return weights

    def _decide(self, table: Tensor, losses: Tensor, overflow: Tensor) -> Tensor:
        """Return the weights; 1 for all after an overflow, which the optimiser skips in 16-bit floats."""
        self.finite = bool(all_finite([table]) & (overflow == 0))
        if self.finite:
            return self.decide(table, losses, self.step.factor)
        return torch.ones(len(losses), dtype=torch.float64)
