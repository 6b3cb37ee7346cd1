"""Base of weightings by losses with a learned number per task."""

from collections.abc import Mapping
from typing import Any

import torch
from pydantic import PositiveFloat
from torch import Tensor, nn

from mtlaerial.config import Section, Task
from mtlaerial.weighting.base import Step
from mtlaerial.weighting.loss_weighting import LossWeighting


class LearnedLossWeighting(LossWeighting):
    """A scalarisation with a number per task that the network's optimiser learns, 0 at first.

    Each is a parameter of its own, so that the optimiser's moments and its count of updates are a task's own too:
    neither number nor moments move in a batch in which the task is without truth.
    """

    class Options(Section):
        """How fast the numbers are learned."""

        learning_rate: PositiveFloat | None = None
        """Of the learned numbers, with the training's schedule; by default the network's, under which they hardly move
        within some hundreds of updates. 0.025 is usual (the code of Navon et al. 2022 and of Liu et al. 2023)."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        super().__init__(tasks, options)
        self._numbers = nn.ParameterList(nn.Parameter(torch.zeros(())) for _ in tasks)

    @property
    def numbers(self) -> Tensor:
        """The learned numbers, shape (tasks,)."""
        return torch.stack(list(self._numbers))

    @property
    def learning_rate(self) -> float | None:
        """Learning rate of the numbers at the peak of the training's schedule; None for the network's."""
        rate: float | None = self.options.learning_rate
        return rate

    def finish(self) -> Tensor:
        """Leave the gradients at the parameters, also at those that are learned besides the network."""
        weights = super().finish()
        self.learn(self.step)
        return weights

    def slopes(self, losses: Tensor) -> Tensor:
        """Return the weights for the losses of the batch, shape (tasks,); absent tasks have their last ones."""
        return self._slopes(self._completed(losses))

    def learn(self, step: Step) -> None:
        """Set the gradients of the learned numbers; the same in every process."""
        parameters = self.parameters()
        with torch.enable_grad():
            gradients = torch.autograd.grad(self.total(self._complete), parameters)
        for parameter, gradient, present in zip(parameters, gradients, self._present, strict=True):
            # Not added up over processes: the total follows from the losses of the whole batch in each of them.
            parameter.grad = step.factor * gradient * present

    def parameters(self) -> list[nn.Parameter]:
        """Return the learned numbers, a parameter per task."""
        return list(self._numbers)

    def moving(self) -> Tensor:
        """Return which of the parameters may move in this update: those of tasks with truth."""
        return self._present

    def to(self, device: torch.device) -> None:
        """Move the numbers; they stay the same objects."""
        super().to(device)
        self._numbers.to(device)

    def state_dict(self) -> dict[str, Any]:
        """Return last losses and learned numbers."""
        return {**super().state_dict(), "numbers": self.numbers.detach()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state in place: the optimiser holds the parameters."""
        super().load_state_dict(state)
        with torch.no_grad():
            for parameter, number in zip(self._numbers, state["numbers"], strict=True):
                parameter.copy_(number)
