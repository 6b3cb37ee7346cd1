"""The contract of task weightings: one update as they see it, and the class that they all extend."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
        The part's share of each loss: scalars in float32 that add up, over all parts, to the losses of the batch. The
        loss of a task without truth in the part is 0, and so are its gradients.
    features : tuple of Tensor
        The trunk's outputs, one tensor per scale, at the end of the trunk's graph.
    head_inputs : tuple of Tensor
        The features as the heads received them: ``features`` themselves, or detached leaves where the weighting
        ``cuts`` the graph. With skips one scale follows from another within the trunk, so only a cut separates the
        gradients of the heads from those of the trunk.
    image : Tensor, shape (patches, bands, patch, patch)
        The network's input; in the graph where the weighting ``differentiates_image``.
    batch : int
        Index of the independent batch that the part belongs to; 0 unless the weighting asks for more ``batches``.
    """

    losses: Mapping[Task, Tensor]
    features: tuple[Tensor, ...]
    head_inputs: tuple[Tensor, ...]
    image: Tensor
    batch: int = 0


@dataclass(frozen=True)
class Step:
    """One update: the seam between network and weighting.

    Attributes
    ----------
    trunk : sequence of Tensor
        The trunk's parameters that are trained; none where all of it is frozen.
    heads : mapping of task to sequence of Tensor
        The parameters of each task's head that are trained.
    parts : int
        Forward passes per batch and process; 1 unless gradients are accumulated.
    patches : int
        Size of the whole batch, over all parts and processes.
    scale : callable
        Scales a loss for the backward pass in 16-bit floats, all losses alike; the optimiser undoes it.
    add_up : callable
        Adds up tensors over all processes, in place.
    generator : torch.Generator
        Source of a weighting's random numbers, on the CPU; in the same state in all processes.
    """

    trunk: Sequence[Tensor]
    heads: Mapping[Task, Sequence[Tensor]]
    parts: int = 1
    patches: int = 1
    scale: Callable[[Tensor], Tensor] = lambda loss: loss
    add_up: Callable[[Sequence[Tensor]], None] = lambda tensors: None
    generator: torch.Generator = field(default_factory=torch.Generator)

    @property
    def factor(self) -> float:
        """The factor that ``scale`` multiplies with."""
        one = torch.ones((), device=self.parameters[0].device)
        scaled = self.scale(one)
        return 1.0 if scaled is one else float(scaled)  # float() waits for the device: not without a scale

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, those of the trunk first."""
        return [*self.trunk, *(parameter for head in self.heads.values() for parameter in head)]

    def add_up_gradients(self) -> None:
        """Add up the gradients of all parameters over all processes."""
        self.add_up(self._gradients())

    def gradients_are_finite(self) -> Tensor:
        """Return whether the gradients at all parameters are finite: a bool of shape (), on their device."""
        return all_finite(self._gradients())

    def _gradients(self) -> list[Tensor]:
        return [parameter.grad for parameter in self.parameters if parameter.grad is not None]


def all_finite(tensors: Sequence[Tensor]) -> Tensor:
    """Return whether all values of one tensor or more are finite: a bool of shape (), on their device."""
    # By the largest magnitudes: sums of squares may overflow where no value does.
    return torch.stack(torch._foreach_norm(list(tensors), torch.inf)).isfinite().all()


class Weighting(ABC):
    """Turns the tasks' losses into one gradient of all parameters.

    In every update the training calls :meth:`begin`, then :meth:`add` once for each forward pass, in order, then
    :meth:`finish`. A weighting never runs the network itself, so it can neither skip nor repeat a pass.

    Parameters
    ----------
    tasks : tuple of Task
        In the order of the losses.
    options : Options
        The method's own options.
    """

    family: ClassVar[str]
    """Source of the weights: ``constant``, ``losses`` or ``gradients``."""
    paper: ClassVar[str]
    """Authors and year."""
    cost: ClassVar[str] = "none"
    """Passes and memory beyond those of a plain sum."""
    state: ClassVar[str] = "none"
    """State between steps, in words."""
    differentiates_image: ClassVar[bool] = False
    """Whether the gradient with respect to the image is needed."""
    batches: ClassVar[int] = 1
    """Independent batches that a step needs."""
    looks_again: ClassVar[bool] = False
    """Whether the training evaluates the losses once more after the update, for :meth:`observe`."""

    class Options(Section):
        """Nothing to choose."""

    def __init__(self, tasks: tuple[Task, ...], options: Any) -> None:
        self.tasks = tasks
        self.options = options

    @property
    def tracks_parameters(self) -> bool:
        """Whether the state between steps has values for each parameter of the trunk, which must stay the same."""
        return False

    def cuts(self, parts: int) -> bool:
        """Return whether the heads run on detached features in a step of ``parts`` passes; see :class:`Pass`."""
        return False

    def begin(self, step: Step) -> None:
        """Prepare for the passes of an update."""
        self.step = step

    @abstractmethod
    def add(self, part: Pass) -> None:
        """Take a forward pass: run its backward passes now, or keep it for :meth:`finish`."""

    @abstractmethod
    def finish(self) -> Tensor:
        """Leave the gradients at the parameters of trunk and heads; return the trunk's weights, shape (tasks,)."""

    def observe(self, losses: Tensor) -> None:
        """Take the losses after the update, shape (tasks,), of the batch that it followed; see ``looks_again``."""
        raise NotImplementedError

    def end_epoch(self) -> None:  # noqa: B027  # most weightings do not count epochs
        """Take note of an epoch's end."""

    def parameters(self) -> list[nn.Parameter]:
        """Return parameters that the network's optimiser learns along with the network."""
        return []

    @property
    def learning_rate(self) -> float | None:
        """Learning rate of :meth:`parameters` at the peak of the training's schedule; None for the network's."""
        return None

    def moving(self) -> Tensor | None:
        """Return which of the parameters may move in this update, a bool for each of them; None for all.

        A gradient of 0 does not suffice: an optimiser's momentum moves a parameter all the same.
        """
        return None

    def to(self, device: torch.device) -> None:  # noqa: B027  # most weightings have nothing on the device
        """Move the weighting's tensors to the device of the losses."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state between steps; empty for a method without state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027  # most weightings keep nothing
        """Restore a state."""
