"""Comparisons of updates and states of weightings."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mtlaerial.weighting import Weighting, weighting_class
from support.weighting_problem import Outcome, Problem

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
SAME_BYTES = {"rtol": 0.0, "atol": 0.0}


@contextmanager
def note(**circumstances: Any) -> Iterator[None]:
    """Add the circumstances to the report of a failure."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(str(circumstances))
        raise


def assert_same(outcome: Outcome, expected: Outcome, scale: float = 1.0, **tolerance: float) -> None:
    """Require equal weights, and gradients that differ by a scale alone."""
    torch.testing.assert_close(outcome.weights, expected.weights, **tolerance)
    for gradients, others in (
        ([outcome.trunk], [expected.trunk]),
        (outcome.heads, expected.heads),
        (outcome.learned, expected.learned),
    ):
        torch.testing.assert_close(gradients, [scale * gradient for gradient in others], **tolerance)


def assert_follows(
    outcome: Outcome, problem: Problem, heads: Tensor | None = None, batch: int = 0, **tolerance: float
) -> None:
    """Require that the trunk follows the weighted gradients, and heads their tasks' times a factor, else the weight."""
    gradients = problem.gradients("parameters", batch)
    expected = sum(weight * gradient for weight, gradient in zip(outcome.weights, gradients, strict=True))
    torch.testing.assert_close(outcome.trunk, expected, **tolerance)
    factors = outcome.weights if heads is None else heads
    for task, gradient, factor in zip(problem.tasks, outcome.heads, factors, strict=True):
        torch.testing.assert_close(gradient, float(factor) * problem.head_gradient(task, batch), **tolerance)


def assert_same_state(method: Weighting, expected: dict[str, Any], **tolerance: float) -> None:
    """Require a state, by default the same bytes."""
    torch.testing.assert_close(method.state_dict(), expected, equal_nan=True, **(tolerance or SAME_BYTES))


def assert_finite(outcome: Outcome) -> None:
    assert outcome.weights.isfinite().all()
    assert all_gradients(outcome).isfinite().all()


def all_gradients(outcome: Outcome) -> Tensor:
    """Return the gradients of trunk and heads, in a row."""
    return torch.cat([gradient.flatten() for gradient in (outcome.trunk, *outcome.heads)])


def head_factors(name: str, outcome: Outcome, losses: Tensor) -> Tensor:
    """Return the published factors of the heads' gradients, for learned scales that are 1 still."""
    if name == "db_mtl":
        return (losses != 0) / losses.clamp(min=1e-8)  # the gradient of the logarithm
    if weighting_class(name).family != "gradients" or name in ("gradnorm", "excess_mtl"):
        return outcome.weights
    return torch.ones(len(losses))


def through_file(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state as it comes back from a file."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    restored: dict[str, Any] = torch.load(file, weights_only=True)
    return restored
