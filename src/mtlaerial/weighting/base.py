"""What every weighting is, and what it sees of a training step."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from mtlaerial.config import Section, Task


@dataclass(frozen=True)
class Pass:
    """A forward pass over a part of a batch, before its backward pass.

    Attributes
    ----------
    losses : mapping of task to Tensor
        The part's share of each loss: scalars in float32 that add up, over all parts, to the losses of the batch; 0
        without gradient where a task has no truth in the part.
    features : tuple of Tensor
        What the trunk hands to the heads, one tensor per scale, at the end of the trunk's graph.
    seen : tuple of Tensor
        The same as the heads saw it: ``features`` themselves, or where the weighting ``cuts`` the graph, leaves of
        their own. With skips one scale follows from another within the trunk: only a cut separates heads from trunk.
    image : Tensor, shape (patches, bands, patch, patch)
        The network's input; in the graph where the weighting ``differentiates_image``.
    """

    losses: Mapping[Task, Tensor]
    features: tuple[Tensor, ...]
    seen: tuple[Tensor, ...]
    image: Tensor


@dataclass(frozen=True)
class Step:
    """One update: the seam between network and weighting.

    Attributes
    ----------
    trunk : sequence of Tensor
        The trunk's parameters.
    heads : mapping of task to sequence of Tensor
        The parameters of each task's head.
    passes : callable
        Runs the forward passes of an independent batch (0, and more where the weighting asks for more ``batches``) one
        after the other, as they are taken; together they are this process's share of the batch.
    parts : int
        How many passes that are; 1 unless gradients are accumulated.
    patches : int
        Of a whole batch, over all parts and processes.
    scale : callable
        Scales a loss for the backward pass in 16-bit floats, all losses alike; the optimiser undoes it.
    add_up : callable
        Adds up tensors over all processes, in place.
    """

    trunk: Sequence[Tensor]
    heads: Mapping[Task, Sequence[Tensor]]
    passes: Callable[[int], Iterator[Pass]]
    parts: int = 1
    patches: int = 1
    scale: Callable[[Tensor], Tensor] = lambda loss: loss
    add_up: Callable[[Sequence[Tensor]], None] = lambda tensors: None

    @property
    def factor(self) -> float:
        """What ``scale`` multiplies with."""
        one = torch.ones((), device=self.trunk[0].device)
        scaled = self.scale(one)
        return 1.0 if scaled is one else float(scaled)  # without a scale nothing waits for the device

    def add_up_gradients(self) -> None:
        """Add up the gradients of all parameters over all processes."""
        parameters = [*self.trunk, *(parameter for head in self.heads.values() for parameter in head)]
        self.add_up([parameter.grad for parameter in parameters if parameter.grad is not None])


class Weighting(ABC):
    """Turns the tasks' losses into one gradient of all parameters.

    Parameters
    ----------
    tasks : tuple of Task
        In the order of the losses.
    options : Options
        What the method leaves to choose.
    """

    family: ClassVar[str]
    """``constant``, ``losses`` or ``gradients``: what the weights follow from."""
    paper: ClassVar[str]
    """Who published it, where."""
    cost: ClassVar[str] = "none"
    """Passes and memory beyond those of a plain sum."""
    state: ClassVar[str] = "none"
    """What is kept between steps."""
    differentiates_image: ClassVar[bool] = False
    """Whether the gradient with respect to the image is needed."""
    batches: ClassVar[int] = 1
    """Independent batches that a step needs."""
    looks_again: ClassVar[bool] = False
    """Whether the losses are wanted once more after the update; see :meth:`observe`."""

    class Options(Section):
        """Nothing to choose."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        self.tasks = tasks
        self.options = options

    @abstractmethod
    def backward(self, step: Step) -> Tensor:
        """Set the gradients of trunk and heads; return each task's weight in the trunk, shape (tasks,)."""

    def cuts(self, parts: int) -> bool:
        """Tell whether the heads shall run on leaves of their own, in a step of so many parts."""
        return False

    def observe(self, losses: Tensor) -> None:
        """Take in the losses of the same batch after the update, shape (tasks,); only where it ``looks_again``."""
        raise NotImplementedError

    def end_epoch(self) -> None:  # noqa: B027  # most weightings do not count epochs
        """Take note that an epoch has ended."""

    def parameters(self) -> list[nn.Parameter]:
        """Return what the optimiser of the network learns besides."""
        return []

    def to(self, device: torch.device) -> None:  # noqa: B027  # most weightings have nothing on the device
        """Move what the weighting holds to where the losses are."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must be kept between steps; empty where nothing is."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027  # most weightings keep nothing
        """Go back to a kept state."""
