"""Weightings that follow from the losses: properties beyond the contract."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from support.weighting_assertions import assert_follows
from support.weighting_problem import TASKS, THREE, Problem, set_learned, train, update, weighting
from support.weighting_references_losses import DynamicWeights, Famo, combined, losses_of

OF_LOSSES = ["uw", "uw_so", "imtl_l", "gls", "stch", "famo"]
"""Weights follow from the losses of the batch, and from learned parameters."""
SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "uw": lambda losses, s: (1 - torch.exp(-s) * losses) / 2,
    "imtl_l": lambda losses, s: torch.exp(s) * losses - 1,
}
"""Derivatives of the objective by the learned scales."""


def slopes(name: str, losses: Tensor, **options: Any) -> Tensor:
    """Return the weights for given losses of two or three tasks."""
    method = weighting(name, THREE[: len(losses)], **options)
    leaf = losses.clone().requires_grad_()
    return torch.autograd.grad(cast(Any, method).total(leaf), leaf)[0]


def random_losses(seed: int) -> Tensor:
    return torch.rand(3, generator=torch.Generator().manual_seed(seed)) * 4 + 0.1


@pytest.mark.parametrize("name", ["equal", "fixed", "gradient_penalty", "rlw", "dwa"])
def test_weights_known_ahead_need_no_gradients_per_task(name: str) -> None:
    assert not weighting(name).cuts(parts=3)


@pytest.mark.parametrize("name", OF_LOSSES)
def test_an_absent_task_counts_with_its_last_loss(name: str) -> None:
    method, first, second = weighting(name), Problem(0), Problem(1, (1.0, 0.0))
    update(method, first)
    losses = torch.stack([second.losses()[0], first.losses()[1]])
    torch.testing.assert_close(update(method, second).weights, slopes(name, losses))


def test_weights_for_other_scales_of_the_losses() -> None:
    for seed in range(20):
        losses, factor = random_losses(seed), 0.5 + seed / 10
        units = torch.tensor([1.0, factor, 1 / factor])
        for name in ("gls", "famo"):  # the weight of a loss makes good for its unit
            for scaled in (losses, losses * units):
                shares = slopes(name, scaled) * scaled
                torch.testing.assert_close(shares / shares.sum(), torch.full((3,), 1 / 3))
        torch.testing.assert_close(slopes("uw_so", factor * losses), slopes("uw_so", losses, temperature=factor))
        torch.testing.assert_close(slopes("stch", factor * losses), slopes("stch", losses, mu=1 / factor))
        for name in SLOPES:  # they learn the scale only later
            torch.testing.assert_close(slopes(name, losses * units), slopes(name, losses))


def test_sums_of_weights() -> None:
    for seed in range(20):
        losses = random_losses(seed)
        for name, total in (("famo", 1.0), ("uw_so", 1.0), ("stch", 1 / 3)):
            torch.testing.assert_close(float(slopes(name, losses).sum()), total)


def test_the_smooth_maximum_goes_from_the_worst_task_to_the_mean() -> None:
    losses = torch.tensor([1.0, 2.0, 1.5])
    torch.testing.assert_close(slopes("stch", losses, mu=1e-3), torch.tensor([0.0, 1 / 3, 0.0]))
    torch.testing.assert_close(slopes("stch", losses, mu=1e5), torch.full((3,), 1 / 9), atol=1e-5, rtol=0)


def test_inverse_losses_stay_finite() -> None:
    assert slopes("uw_so", torch.tensor([1e-45, 1e-45])).tolist() == [0.5, 0.5]
    assert slopes("uw_so", torch.tensor([1e-45, 1.0])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", SLOPES)
def test_learned_scales_follow_the_slope_of_the_objective(name: str) -> None:
    start = torch.tensor([0.3, -0.7])
    expected = torch.exp(-start) / 2 if name == "uw" else torch.exp(start)
    for absent in (False, True):
        method = weighting(name)
        set_learned(method, start)
        problem = Problem(3, (1.0, 0.0) if absent else (1.0, 3.0))
        outcome = update(method, problem)
        present = torch.tensor([1.0, 0.0 if absent else 1.0])
        torch.testing.assert_close(outcome.learned, [SLOPES[name](problem.losses(), start) * present])
        torch.testing.assert_close(outcome.weights, expected)
        assert_follows(outcome, problem)


@pytest.mark.parametrize(("name", "product"), [("uw", 0.5), ("imtl_l", 1.0)])
def test_learned_scales_bring_all_losses_to_one_size(name: str, product: float) -> None:
    method, problem = weighting(name), Problem(3, (10.0, 0.1))
    losses = problem.losses()
    optimiser = torch.optim.SGD(method.parameters(), lr=0.05)
    distances = []
    for _ in range(300):
        distances.append((update(method, problem).weights * losses).log() - torch.tensor(product).log())
        optimiser.step()
    assert (distances[1].abs() < distances[0].abs()).all()
    torch.testing.assert_close(distances[-1], torch.zeros(2), atol=1e-2, rtol=0)


def test_imtl_l_is_twice_uw_for_the_negative_scales() -> None:
    uncertainty, balance, problem = weighting("uw"), weighting("imtl_l"), Problem(5)
    variances = torch.tensor([0.4, -0.2])
    set_learned(uncertainty, variances)
    set_learned(balance, -variances)
    by_uw, by_imtl_l = update(uncertainty, problem), update(balance, problem)
    torch.testing.assert_close(2 * by_uw.weights, by_imtl_l.weights)
    torch.testing.assert_close(-2 * by_uw.learned[0], by_imtl_l.learned[0])


@pytest.mark.parametrize("temperature", [2.0, 0.5])
def test_dwa_weighs_by_the_mean_losses_of_the_last_two_epochs(temperature: float) -> None:
    method, expected = weighting("dwa", temperature=temperature), DynamicWeights(temperature)
    for epoch in range(5):
        problems = [Problem(3 * epoch + step, (2.0 - epoch / 4, 3.0)) for step in range(3)]
        for problem in problems:
            outcome = update(method, problem)
            np.testing.assert_allclose(outcome.weights.numpy(), expected.weights(), rtol=1e-5)
            torch.testing.assert_close(outcome.trunk, combined(problem, expected.weights()))
        method.end_epoch()
        expected.means.append(np.mean([losses_of(problem) for problem in problems], axis=0))


def test_dwa_takes_means_over_the_batches_with_truth() -> None:
    method, expected = weighting("dwa"), DynamicWeights()
    for epoch in range(3):
        full, partial = Problem(2 * epoch), Problem(2 * epoch + 1, (1.0, 0.0))
        update(method, partial)
        update(method, full)
        method.end_epoch()
        both, one = losses_of(full), losses_of(partial)
        expected.means.append(np.array([(both[0] + one[0]) / 2, both[1]]))
    np.testing.assert_allclose(update(method, Problem(0)).weights.numpy(), expected.weights(), rtol=1e-5)


def test_dwa_counts_a_task_that_was_absent_for_an_epoch_with_its_last_loss() -> None:
    method, expected = weighting("dwa"), DynamicWeights()
    for seed, scale in enumerate((3.0, 0.0)):
        problem = Problem(seed, (1.0, scale))
        update(method, problem)
        method.end_epoch()
        expected.means.append(losses_of(problem))
    expected.means[1][1] = expected.means[0][1]
    np.testing.assert_allclose(update(method, Problem(0)).weights.numpy(), expected.weights(), rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"learning_rate": 0.1, "gamma": 0.5}])
def test_famo_learns_from_how_much_the_losses_fell(options: dict[str, float]) -> None:
    method = weighting("famo", **options)
    expected = Famo(options.get("learning_rate", 0.025), options.get("gamma", 1e-3))
    assert method.parameters() == []  # the logits have an optimiser of their own
    for seed in range(12):
        problem, rest = Problem(seed), np.array([0.95, 0.6 + seed / 20])
        before = losses_of(problem)
        outcome = update(method, problem)
        np.testing.assert_allclose(outcome.weights.numpy(), expected.weights(before), rtol=1e-4)
        trunk = combined(problem, expected.weights(before))
        torch.testing.assert_close(outcome.trunk, trunk, rtol=1e-4, atol=1e-5)
        method.observe(torch.tensor(before * rest).float())
        expected.learn(before, before * rest)


def test_famo_favours_the_task_that_falls_less() -> None:
    method, problem = weighting("famo"), Problem(0)
    first = update(method, problem).weights
    for _ in range(20):
        method.observe(problem.losses() * torch.tensor([0.99, 0.8]))
        last = update(method, problem).weights
    assert last[0] > first[0] + 0.01


def test_famo_learns_nothing_from_a_step_into_infinity() -> None:
    method = weighting("famo")
    for seed in range(4):
        train(method, Problem(seed), seed)
    update(method, Problem(4))
    before = method.state_dict()
    method.observe(torch.tensor([torch.inf, 1.0]))
    torch.testing.assert_close(method.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["rlw", "rgw"])
def test_random_weights_are_drawn_anew_and_lie_on_the_simplex(name: str) -> None:
    method, problem = weighting(name), Problem(0)
    weights = torch.stack([update(method, problem, seed=seed).weights for seed in range(400)])
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(400))
    assert (weights > 0).all()
    assert len(weights.unique(dim=0)) == 400
    odds = (weights[:, 0] / weights[:, 1]).log()  # normal, with a variance of 2
    assert abs(float(odds.mean())) < 4 * (2 / 400) ** 0.5
    assert float(odds.var()) == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_the_gradient_penalty_is_added_to_the_plain_sum(strength: float) -> None:
    problem = Problem(4)
    whole = problem.forward()
    total = torch.stack(list(whole.losses.values())).sum()
    gradients = [torch.autograd.grad(loss, whole.image, create_graph=True)[0] for loss in whole.losses.values()]
    penalty = sum((row.norm() - 1) ** 2 for gradient in gradients for row in gradient) / len(problem.samples)
    heads = [problem.heads[task] for task in TASKS]
    expected = torch.autograd.grad(total + strength * penalty, [problem.trunk, *heads])
    outcome = update(weighting("gradient_penalty", strength=strength), problem)
    torch.testing.assert_close([outcome.trunk, *outcome.heads], list(expected))
