"""What every weighting is, and what it sees of a training step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mtlaerial.config import Task


@dataclass(frozen=True)
class Step:
    """One forward pass, before its backward pass: the seam between network and weighting.

    Attributes
    ----------
    losses : mapping of task to Tensor
        Scalars in float32; 0 without gradient where a task has no truth in the batch.
    features : tuple of Tensor
        What the trunk hands to the heads, one tensor per scale, at the end of the trunk's graph.
    seen : tuple of Tensor
        The same as the heads saw it: ``features`` themselves, or where the weighting ``cuts`` the graph, leaves of
        their own. With skips one scale follows from another within the trunk: only a cut separates heads from trunk.
    trunk : sequence of Tensor
        The trunk's parameters.
    heads : mapping of task to sequence of Tensor
        The parameters of each task's head.
    image : Tensor, shape (batch, bands, patch, patch)
        The network's input; in the graph where the weighting ``differentiates_image``.
    scale : callable
        Scales a loss for the backward pass in 16-bit floats, all losses alike; the optimiser undoes it.
    """

    losses: Mapping[Task, Tensor]
    features: tuple[Tensor, ...]
    seen: tuple[Tensor, ...]
    trunk: Sequence[Tensor]
    heads: Mapping[Task, Sequence[Tensor]]
    image: Tensor
    scale: Callable[[Tensor], Tensor] = lambda loss: loss


class Weighting(ABC):
    """Turns the tasks' losses into one gradient of all parameters."""

    cuts = False
    """Whether the heads shall run on leaves of their own."""
    differentiates_image = False
    """Whether the gradient with respect to the image is needed."""

    @abstractmethod
    def backward(self, step: Step) -> Tensor:
        """Set the gradients of trunk and heads; return each task's weight in the trunk, shape (tasks,)."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must be kept between steps; empty where nothing is."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027  # most weightings keep nothing
        """Go back to a kept state."""
