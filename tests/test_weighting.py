"""Weightings: each one's update on a small problem equals the value worked out by hand."""

from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

import tiny
from mtlaerial.config import Task
from mtlaerial.models import build_model
from mtlaerial.weighting import Pass, Step
from problem import TASKS, Problem, expect, update, weighting


def least_norm(one: Tensor, other: Tensor) -> Tensor:
    """Sener & Koltun 2018, algorithm 1: the point of least norm between two gradients."""
    share = float((((other - one) * other).sum() / ((one - other) ** 2).sum()).clamp(0, 1))
    return torch.tensor([share, 1 - share])


@pytest.mark.parametrize("seed", range(5))
def test_equal_and_fixed_weights(seed: int) -> None:
    for method, expected in (
        (weighting("equal"), torch.ones(2)),
        (weighting("fixed", weights={"semantics": 0.25, "height": 2}), torch.tensor([0.25, 2.0])),
    ):
        problem = Problem(seed)
        found = update(method, problem)
        torch.testing.assert_close(found, expected)
        expect(problem, expected, expected)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("name", "level"), [("mgda", "parameters"), ("mgda_ub", "features")])
def test_mgda_is_the_point_of_least_norm(seed: int, name: str, level: str) -> None:
    problem = Problem(seed)
    expected = least_norm(*problem.gradients(level))
    found = update(weighting(name), problem)
    torch.testing.assert_close(found.float(), expected, atol=1e-3, rtol=0)
    expect(problem, found, torch.ones(2))


def test_the_two_levels_of_mgda_differ() -> None:
    found = [update(weighting(name), Problem(3)) for name in ("mgda", "mgda_ub")]
    assert (found[0] - found[1]).abs().max() > 0.01


@pytest.mark.parametrize("seed", range(5))
def test_no_loss_rises_along_mgda(seed: int) -> None:
    problem = Problem(seed, scales=(1.0, 100.0))
    update(weighting("mgda"), problem)
    assert problem.trunk.grad is not None
    assert all(float((gradient * problem.trunk.grad).sum()) > -1e-4 for gradient in problem.gradients("parameters"))


@pytest.mark.parametrize("scales", [(1.0, 3.0), (1.0, 1e-4), (50.0, 1.0)])
def test_feature_normalisation_gives_all_tasks_the_mean_norm(scales: tuple[float, float]) -> None:
    problem = Problem(1, scales)
    norms = torch.stack([gradient.norm() for gradient in problem.gradients("features")])
    found = update(weighting("feature_normalisation"), problem)
    torch.testing.assert_close(found.float() * norms, norms.mean().expand(2))
    expect(problem, found, torch.ones(2))


def test_gradnorm_begins_with_equal_weights_and_moves_towards_the_target() -> None:
    problem, method = Problem(2, (1.0, 20.0)), weighting("gradnorm", alpha=0.0, learning_rate=0.05)
    norms = torch.stack([gradient.norm() for gradient in problem.gradients("features")])
    first = update(method, problem)
    torch.testing.assert_close(first.float(), torch.ones(2))
    expect(problem, first, torch.ones(2))
    second = update(method, problem)
    # Adam's first step is the learning rate, against the sign of the norm's excess; the sum stays 2.
    moved = torch.where(norms > norms.mean(), 1 - 0.05, 1 + 0.05)
    torch.testing.assert_close(second.float(), 2 * moved / moved.sum())
    expect(problem, second, second)
    for _ in range(500):
        last = update(method, problem)
    torch.testing.assert_close(float(last[0] * norms[0] / (last[1] * norms[1])), 1.0, atol=0.2, rtol=0)


def test_gradnorm_favours_the_task_that_trains_slowly() -> None:
    method = cast(Any, weighting("gradnorm", alpha=1.5, learning_rate=0.01))
    gramian, active = torch.eye(2, dtype=torch.float64), torch.tensor([True, True])
    method.weights(gramian, torch.tensor([4.0, 10.0]).double(), active)
    for _ in range(5):  # the first loss has fallen to a quarter, the second not at all; norms are equal
        found = method.weights(gramian, torch.tensor([1.0, 10.0]).double(), active)
    assert found[1] > 1.01
    assert found[0] < 0.99


def test_gradnorm_goes_on_from_a_kept_state() -> None:
    whole, broken = weighting("gradnorm"), weighting("gradnorm")
    for seed in range(3):
        update(whole, Problem(seed))
        update(broken, Problem(seed))
    restored = weighting("gradnorm")
    restored.load_state_dict(broken.state_dict())
    for seed in range(3, 6):
        expected = update(whole, Problem(seed))
        torch.testing.assert_close(update(restored, Problem(seed)), expected, rtol=0, atol=0)


def test_the_gradient_penalty_is_added_to_the_plain_sum() -> None:
    problem = Problem(4)
    found = problem.forward()
    total = torch.stack(list(found.losses.values())).sum()
    gradients = [torch.autograd.grad(loss, found.image, create_graph=True)[0] for loss in found.losses.values()]
    penalty = sum((row.norm() - 1) ** 2 for gradient in gradients for row in gradient) / 6
    expected = torch.autograd.grad(total + 0.7 * penalty, problem.trunk)[0]
    update(weighting("gradient_penalty", strength=0.7), problem)
    torch.testing.assert_close(problem.trunk.grad, expected)
    update(weighting("gradient_penalty", strength=0.0), problem)
    expect(problem, torch.ones(2), torch.ones(2))


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("name", ["mgda", "mgda_ub", "feature_normalisation", "gradnorm"])
def test_in_the_network_the_trunk_gets_the_weighted_sum_of_the_tasks_gradients(name: str, skips: bool) -> None:
    torch.manual_seed(0)
    network = build_model(tiny.model_spec(skips=skips, dropout=0.0), 3, {"semantics": 4, "height": 1})
    trunk = list(network.trunk.parameters())
    image = torch.randn(2, 3, 32, 32)

    def forward(cuts: bool) -> Pass:
        features = network.features(image)
        seen = tuple(f.detach().requires_grad_() for f in features) if cuts else features
        losses: dict[Task, Tensor] = {task: (output**2).mean() for task, output in network.outputs(seen).items()}
        return Pass(losses, features, seen, image)

    alone = [torch.autograd.grad(forward(False).losses[task], trunk) for task in TASKS]
    heads: dict[Task, list[nn.Parameter]] = {task: list(network.heads[task].parameters()) for task in TASKS}
    weights = weighting(name).backward(Step(trunk, heads, lambda batch: iter([forward(True)]))).tolist()
    for parameter, one, other in zip(trunk, *alone, strict=True):
        torch.testing.assert_close(parameter.grad, weights[0] * one + weights[1] * other, rtol=1e-4, atol=1e-6)
