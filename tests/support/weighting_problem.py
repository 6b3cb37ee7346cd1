"""A learning problem small enough to work out every weighting's update by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.weighting import Pass, Step, Weighting, build_weighting

TASKS: tuple[Task, ...] = ("semantics", "height")
THREE = cast(tuple[Task, ...], (*TASKS, "depth"))
SAMPLES = 6
REMAINS = dict(zip(THREE, (0.9, 0.5, 0.7), strict=True))
"""Share of each loss that an update leaves."""


def backward(method: Weighting, step: Step, forward: Callable[[int, int], Pass]) -> Tensor:
    """Give a method the passes of a step, as the training does; ``forward`` runs a part of a batch, by both numbers."""
    method.begin(step)
    for batch in range(method.batches):
        for part in range(step.parts):
            method.add(forward(batch, part))
    return method.finish()


class Problem:
    """A trunk of one matrix and heads that are vectors; several independent batches of six samples.

    Parameters
    ----------
    seed : int
    scales : tuple of float
        Factor of each task's loss; 0 for a task without truth.
    batches : int
        Number of independent batches.
    tasks : tuple of Task
    """

    def __init__(
        self, seed: int = 0, scales: Sequence[float] = (1.0, 3.0), batches: int = 3, tasks: tuple[Task, ...] = TASKS
    ) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.tasks = tasks
        self.trunk = nn.Parameter(torch.randn(4, 3, generator=draw))
        self.heads = {task: nn.Parameter(torch.randn(4, generator=draw)) for task in tasks}
        self.image = torch.randn(batches, SAMPLES, 3, generator=draw)
        self.truth = {task: torch.randn(batches, SAMPLES, generator=draw) for task in tasks}
        self.scales = dict(zip(tasks, scales, strict=True))
        self.samples = torch.arange(SAMPLES)

    def backward(self, method: Weighting, parts: int = 1, seed: int = 0, **changes: Any) -> Tensor:
        """Set the gradients of a step over the samples in so many parts; return the weights."""
        cuts, divided = method.cuts(parts), self.samples.chunk(parts)
        heads = {task: [head] for task, head in self.heads.items()}
        generator = torch.Generator().manual_seed(seed)
        step = Step([self.trunk], heads, parts, patches=SAMPLES, generator=generator, **changes)
        return backward(method, step, lambda batch, part: self.forward(batch, divided[part], cuts))

    def forward(self, batch: int = 0, part: Tensor | None = None, cuts: bool = False) -> Pass:
        """Run a part of a batch; all of it by default."""
        part = torch.arange(SAMPLES) if part is None else part
        image = self.image[batch][part].requires_grad_()
        features = torch.tanh(image @ self.trunk.T)
        inputs = features.detach().requires_grad_() if cuts else features
        losses = {
            task: self.scales[task] * ((inputs @ self.heads[task] - self.truth[task][batch][part]) ** 2).sum() / SAMPLES
            for task in self.tasks
        }
        return Pass(losses, (features,), (inputs,), image, batch)

    def losses(self, batch: int = 0) -> Tensor:
        """Return the losses of a batch as numbers, shape (tasks,)."""
        return torch.stack([loss.detach() for loss in self.forward(batch).losses.values()])

    def gradients(self, of: str, batch: int = 0) -> list[Tensor]:
        """Return each task's gradient of the trunk's matrix (``parameters``), or of the ``features``."""
        whole = self.forward(batch)
        inputs = self.trunk if of == "parameters" else whole.features[0]
        return [torch.autograd.grad(loss, inputs, retain_graph=True)[0] for loss in whole.losses.values()]

    def gramian(self, of: str, batch: int = 0) -> Tensor:
        """Return the inner products of the tasks' gradients, float64."""
        rows = torch.stack([gradient.flatten().double() for gradient in self.gradients(of, batch)])
        return rows @ rows.T

    def head_gradient(self, task: Task, batch: int = 0) -> Tensor:
        """Return the gradient of a task's head."""
        return torch.autograd.grad(self.forward(batch).losses[task], self.heads[task])[0]

    def ordered(self, tasks: tuple[Task, ...]) -> "Problem":
        """Return the same problem with its tasks in another order."""
        copy = Problem(tasks=tasks, scales=[self.scales[task] for task in tasks])
        copy.trunk, copy.image, copy.samples = nn.Parameter(self.trunk.detach().clone()), self.image, self.samples
        copy.heads = {task: nn.Parameter(self.heads[task].detach().clone()) for task in tasks}
        copy.truth = {task: self.truth[task] for task in tasks}
        return copy


SCALES = [(1.0, 3.0), (1.0, 0.05), (20.0, 1.0), (1.0, 1.0)]


def varied_problems(number: int = 8) -> list[Problem]:
    """Return problems whose losses differ in size, in turn."""
    return [Problem(seed, SCALES[seed % len(SCALES)]) for seed in range(number)]


@dataclass(frozen=True)
class Outcome:
    """The result of an update.

    Attributes
    ----------
    weights : Tensor, shape (tasks,), float32
    trunk : Tensor
        Gradient of the trunk's matrix.
    heads : list of Tensor
        Gradient of each task's head.
    learned : list of Tensor
        Gradients of the parameters that the weighting learns, in one row; empty where it learns none.
    """

    weights: Tensor
    trunk: Tensor
    heads: list[Tensor]
    learned: list[Tensor]


def update(method: Weighting, problem: Problem, parts: int = 1, seed: int = 0, **changes: Any) -> Outcome:
    """Set a problem's gradients by a method whose random numbers follow from a seed."""
    heads, learned = [problem.heads[task] for task in problem.tasks], method.parameters()
    for parameter in (problem.trunk, *heads, *learned):
        parameter.grad = None
    weights = problem.backward(method, parts, seed, **changes).float()
    slopes = [torch.stack([_gradient(parameter) for parameter in learned])] if learned else []
    return Outcome(weights, _gradient(problem.trunk), list(map(_gradient, heads)), slopes)


def set_learned(method: Weighting, numbers: Tensor) -> None:
    """Set the parameters that a weighting learns."""
    with torch.no_grad():
        for parameter, number in zip(method.parameters(), numbers, strict=True):
            parameter.copy_(number)


def train(method: Weighting, problem: Problem, seed: int = 0, **changes: Any) -> Outcome:
    """Update, then pass the outcome to the method as a trainer does; every other seed ends an epoch."""
    outcome = update(method, problem, seed=seed, **changes)
    if learned := method.parameters():
        torch.optim.SGD(learned, lr=0.1).step()
    if method.looks_again:
        method.observe(problem.losses() * torch.tensor([REMAINS[task] for task in problem.tasks]))
    if seed % 2:
        method.end_epoch()
    return outcome


def weighting(name: str, tasks: tuple[Task, ...] = TASKS, **options: Any) -> Weighting:
    """Return a weighting; ``fixed`` has unequal weights by default."""
    if name == "fixed":
        options = {"weights": {"semantics": 0.25, "height": 2}, **options}
    return build_weighting(WeightingSpec.parse({"name": name, **options}, "weighting"), tasks)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad.clone()
