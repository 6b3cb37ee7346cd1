"""A learning problem so small that every weighting's update can be worked out by hand."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.weighting import Pass, Step, Weighting, build_weighting

TASKS: tuple[Task, ...] = ("semantics", "height")
SAMPLES = 6


class Problem:
    """A trunk of one matrix and heads that are vectors; several independent batches of six samples.

    Parameters
    ----------
    seed : int
    scales : tuple of float
        Factor of each task's loss.
    batches : int
        How many independent batches there are.
    """

    def __init__(self, seed: int = 0, scales: tuple[float, float] = (1.0, 3.0), batches: int = 3) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.trunk = nn.Parameter(torch.randn(4, 3, generator=draw))
        self.heads = {task: nn.Parameter(torch.randn(4, generator=draw)) for task in TASKS}
        self.image = torch.randn(batches, SAMPLES, 3, generator=draw)
        self.truth = {task: torch.randn(batches, SAMPLES, generator=draw) for task in TASKS}
        self.scales = dict(zip(TASKS, scales, strict=True))

    def step(self, method: Weighting | None = None, parts: int = 1, **changes: Any) -> Step:
        """Return a step; its passes are cut where the method wants it, in so many parts."""
        cuts = method is not None and method.cuts(parts)

        def passes(batch: int) -> Iterator[Pass]:
            for part in torch.arange(SAMPLES).chunk(parts):
                yield self.forward(batch, part, cuts)

        heads = {task: [head] for task, head in self.heads.items()}
        return Step([self.trunk], heads, passes, parts, SAMPLES, **changes)

    def forward(self, batch: int = 0, part: Tensor | None = None, cuts: bool = False) -> Pass:
        """Run a part of a batch; all of it by default."""
        part = torch.arange(SAMPLES) if part is None else part
        image = self.image[batch][part].requires_grad_()
        features = torch.tanh(image @ self.trunk.T)
        seen = features.detach().requires_grad_() if cuts else features
        losses = {
            task: self.scales[task] * ((seen @ self.heads[task] - self.truth[task][batch][part]) ** 2).sum() / SAMPLES
            for task in TASKS
        }
        return Pass(losses, (features,), (seen,), image)

    def losses(self, batch: int = 0) -> Tensor:
        """Return the losses of a batch as numbers, shape (tasks,)."""
        return torch.stack([loss.detach() for loss in self.forward(batch).losses.values()])

    def gradients(self, of: str, batch: int = 0) -> list[Tensor]:
        """Return each task's gradient of the trunk's matrix (``parameters``), or of the ``features``."""
        found = self.forward(batch)
        inputs = self.trunk if of == "parameters" else found.features[0]
        return [torch.autograd.grad(loss, inputs, retain_graph=True)[0] for loss in found.losses.values()]

    def gramian(self, of: str, batch: int = 0) -> Tensor:
        """Return the inner products of the tasks' gradients, float64."""
        rows = torch.stack([gradient.flatten().double() for gradient in self.gradients(of, batch)])
        return rows @ rows.T

    def head_gradient(self, task: Task, batch: int = 0) -> Tensor:
        """Return the gradient of a task's head."""
        return torch.autograd.grad(self.forward(batch).losses[task], self.heads[task])[0]


def update(method: Weighting, problem: Problem, parts: int = 1, **changes: Any) -> Tensor:
    """Set the problem's gradients by a method; return its weights."""
    for parameter in (problem.trunk, *problem.heads.values()):
        parameter.grad = None
    return method.backward(problem.step(method, parts, **changes)).float()


def weighting(name: str, **options: Any) -> Weighting:
    """Return a weighting of the two tasks; ``fixed`` has weights of its own by default."""
    if name == "fixed":
        options = {"weights": {"semantics": 0.25, "height": 2}, **options}
    return build_weighting(WeightingSpec.parse({"name": name, **options}, "weighting"), TASKS)


def expect(problem: Problem, weights: Tensor, heads: Tensor, batch: int = 0, **tolerance: float) -> None:
    """Require that the trunk's gradient is the weighted sum of the tasks' own, and so are the heads'."""
    one, other = problem.gradients("parameters", batch)
    assert problem.trunk.grad is not None
    torch.testing.assert_close(problem.trunk.grad, (weights[0] * one + weights[1] * other).float(), **tolerance)
    for task, weight in zip(TASKS, heads.tolist(), strict=True):
        expected = weight * problem.head_gradient(task, batch)
        torch.testing.assert_close(problem.heads[task].grad, expected, **tolerance)
