"""Weightings that follow from the losses: each against its paper's equations, and what it promises."""

import io
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.errors import ConfigError
from mtlaerial.weighting import Weighting, build_weighting
from problem import TASKS, Problem, expect, update, weighting
from references_losses import REFERENCES, DynamicWeights, Famo, combined, losses_of

LEARNED = ["uw", "imtl_l"]
PLAIN = ["uw", "uw_so", "imtl_l", "gls", "stch", "famo"]
"""Nothing but losses and what is learned decides."""
SCALES = [(1.0, 3.0), (1.0, 0.05), (20.0, 1.0)]


def problems(number: int = 4) -> list[Problem]:
    return [Problem(seed, SCALES[seed % len(SCALES)]) for seed in range(number)]


def slopes(name: str, losses: Tensor, **options: Any) -> Tensor:
    """Return the weights for given losses of any number of tasks."""
    tasks = cast(tuple[Task, ...], tuple(f"task{number}" for number in range(len(losses))))
    method = build_weighting(WeightingSpec.parse({"name": name, **options}, "weighting"), tasks)
    leaf = losses.clone().requires_grad_()
    return torch.autograd.grad(cast(Any, method).total(leaf), leaf)[0]


def random_losses(seed: int, tasks: int = 3) -> Tensor:
    return torch.rand(tasks, generator=torch.Generator().manual_seed(seed)) * 4 + 0.1


def seeded_update(method: Weighting, problem: Problem, seed: int, **changes: Any) -> Tensor:
    torch.manual_seed(seed)
    return update(method, problem, **changes)


def live(method: Weighting, seeds: range) -> list[Tensor]:
    """Train for a while as a trainer would, two steps an epoch; return the weights of all steps."""
    optimiser = torch.optim.SGD(method.parameters(), lr=0.1) if method.parameters() else None
    found = []
    for seed in seeds:
        found.append(seeded_update(method, Problem(seed), seed))
        if optimiser:
            optimiser.step()
        if method.looks_again:
            method.observe(Problem(seed).losses() * torch.tensor([0.9, 0.5]))
        if seed % 2:
            method.end_epoch()
    return found


@pytest.mark.parametrize("name", REFERENCES)
def test_successive_updates_follow_the_paper(name: str) -> None:
    method = weighting(name)
    for seed, (problem, expected) in enumerate(zip(problems(), REFERENCES[name](problems()), strict=True)):
        found = seeded_update(method, problem, seed)
        torch.testing.assert_close(problem.trunk.grad, expected)
        expect(problem, found, torch.ones(2) if name == "rgw" else found)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("parts", [2, 3])
def test_accumulated_gradients_give_the_update_of_the_whole_batch(name: str, parts: int) -> None:
    whole, accumulated = weighting(name), weighting(name)
    for seed in range(3):
        one, other = Problem(seed), Problem(seed)
        expected = seeded_update(whole, one, seed)
        torch.testing.assert_close(seeded_update(accumulated, other, seed, parts=parts), expected)
        torch.testing.assert_close(other.trunk.grad, one.trunk.grad)
        for task in TASKS:
            torch.testing.assert_close(other.heads[task].grad, one.heads[task].grad)
        for found, parameter in zip(accumulated.parameters(), whole.parameters(), strict=True):
            torch.testing.assert_close(found.grad, parameter.grad)


@pytest.mark.parametrize("name", ["rlw", "dwa"])
def test_weights_known_ahead_need_no_gradients_per_task(name: str) -> None:
    assert not weighting(name).cuts(parts=3)


@pytest.mark.parametrize("name", REFERENCES)
def test_scaling_for_half_precision_scales_gradients_alone(name: str) -> None:
    plain, scaled = weighting(name), weighting(name)
    for seed in range(3):
        one, other = Problem(seed), Problem(seed)
        expected = seeded_update(plain, one, seed)
        torch.testing.assert_close(seeded_update(scaled, other, seed, scale=lambda loss: 1024 * loss), expected)
        assert one.trunk.grad is not None
        torch.testing.assert_close(other.trunk.grad, 1024 * one.trunk.grad)
        for found, parameter in zip(scaled.parameters(), plain.parameters(), strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(found.grad, 1024 * parameter.grad)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_kept_state_goes_on_with_the_same_numbers(name: str) -> None:
    whole, broken, restored = weighting(name), weighting(name), weighting(name)
    expected = live(whole, range(9))
    live(broken, range(5))  # in the midst of an epoch
    stored = io.BytesIO()
    torch.save(broken.state_dict(), stored)
    stored.seek(0)
    restored.load_state_dict(torch.load(stored, weights_only=True))
    assert all(map(torch.equal, live(restored, range(5, 9)), expected[5:]))


@pytest.mark.parametrize("name", ["dwa", "uw", "imtl_l", "famo"])
def test_a_kept_state_does_not_change_afterwards(name: str) -> None:
    method, other = weighting(name), weighting(name)
    live(method, range(5))
    state = method.state_dict()
    expected = live(method, range(5, 9))
    other.load_state_dict(state)
    assert all(map(torch.equal, live(other, range(5, 9)), expected))


@pytest.mark.parametrize("name", REFERENCES)
def test_an_absent_task_moves_nothing(name: str) -> None:
    with_gap, without = weighting(name), weighting(name)
    for seed in range(4):
        seeded_update(with_gap, Problem(seed), seed)
        seeded_update(without, Problem(seed), seed)
        if with_gap.looks_again:
            for method in (with_gap, without):
                method.observe(Problem(seed).losses() * torch.tensor([0.9, 0.5]))
    problem = Problem(4, (1.0, 0.0))
    found = seeded_update(with_gap, problem, 4)
    assert problem.trunk.grad is not None
    torch.testing.assert_close(problem.trunk.grad, found[0] * problem.gradients("parameters")[0])
    if with_gap.looks_again:
        with_gap.observe(problem.losses() * 0.5)
    state, expected = with_gap.state_dict(), without.state_dict()
    if "last" in state:  # the other task's loss is known anew
        assert state["last"].tolist() == [problem.losses()[0], expected["last"][1]]
    if name == "dwa":
        assert state["batches"].tolist() == [5, 4]
        assert state["sum"][1] == expected["sum"][1]
    if name == "famo":
        torch.testing.assert_close(state["module"], expected["module"], rtol=0, atol=0)
        torch.testing.assert_close(state["optimiser"], expected["optimiser"], rtol=0, atol=0)


@pytest.mark.parametrize("name", PLAIN)
def test_beside_an_absent_task_weights_are_as_with_its_last_loss(name: str) -> None:
    method, first, second = weighting(name), Problem(0), Problem(1, (1.0, 0.0))
    update(method, first)
    known = torch.stack([second.losses()[0], first.losses()[1]])
    torch.testing.assert_close(update(method, second), slopes(name, known))


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("wrong", [float("inf"), float("nan")])
def test_what_is_kept_outlives_a_loss_that_is_not_finite(name: str, wrong: float) -> None:
    method = weighting(name)
    live(method, range(4))
    before = method.state_dict()
    update(method, Problem(0, (wrong, wrong)))
    if method.looks_again:
        method.observe(torch.tensor([wrong, 1.0]))
    torch.testing.assert_close(method.state_dict(), before, rtol=0, atol=0)


def test_a_step_into_infinity_teaches_famo_nothing() -> None:
    method = weighting("famo")
    live(method, range(4))
    update(method, Problem(4))
    before = method.state_dict()
    method.observe(torch.tensor([torch.inf, 1.0]))
    torch.testing.assert_close(method.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", PLAIN)
def test_tasks_in_another_order_get_their_weights_in_that_order(name: str) -> None:
    for seed in range(20):
        losses, order = random_losses(seed), torch.randperm(3, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(slopes(name, losses[order]), slopes(name, losses)[order])


@pytest.mark.parametrize("seed", range(20))
def test_scales_of_losses(seed: int) -> None:
    losses, factor = random_losses(seed), 0.5 + seed / 10
    units = torch.tensor([1.0, factor, 1 / factor])
    for name in ("gls", "famo"):  # each other unit of a loss is made good by its weight
        expected, found = slopes(name, losses) * losses, slopes(name, losses * units) * losses * units
        torch.testing.assert_close(expected / expected.sum(), torch.full((3,), 1 / 3))
        torch.testing.assert_close(found / found.sum(), torch.full((3,), 1 / 3))
    torch.testing.assert_close(slopes("uw_so", factor * losses), slopes("uw_so", losses, temperature=factor))
    torch.testing.assert_close(slopes("stch", factor * losses), slopes("stch", losses, mu=1 / factor))
    for name in LEARNED:  # they learn the scale only later
        torch.testing.assert_close(slopes(name, losses * units), slopes(name, losses))
    for name in ("famo", "uw_so"):
        torch.testing.assert_close(slopes(name, losses).sum(), torch.tensor(1.0))
    torch.testing.assert_close(slopes("stch", losses).sum(), torch.tensor(1 / 3))


def test_the_smooth_maximum_goes_from_the_worst_task_to_the_mean() -> None:
    losses = torch.tensor([1.0, 2.0, 1.5])
    torch.testing.assert_close(slopes("stch", losses, mu=1e-3), torch.tensor([0.0, 1 / 3, 0.0]))
    torch.testing.assert_close(slopes("stch", losses, mu=1e5), torch.full((3,), 1 / 9), atol=1e-5, rtol=0)


def test_inverse_losses_stay_finite() -> None:
    assert slopes("uw_so", torch.tensor([1e-45, 1e-45])).tolist() == [0.5, 0.5]
    assert slopes("uw_so", torch.tensor([1e-45, 1.0])).tolist() == [1.0, 0.0]


SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "uw": lambda losses, s: (1 - torch.exp(-s) * losses) / 2,
    "imtl_l": lambda losses, s: torch.exp(s) * losses - 1,
}
"""Derivatives of what is minimised by the learned scales."""


@pytest.mark.parametrize("name", LEARNED)
def test_learned_scales_get_their_gradient(name: str) -> None:
    method, start = weighting(name), torch.tensor([0.3, -0.7])
    (scales,) = method.parameters()
    with torch.no_grad():
        scales.copy_(start)
    problem = Problem(3)
    found = update(method, problem)
    torch.testing.assert_close(scales.grad, SLOPES[name](problem.losses(), start))
    torch.testing.assert_close(found, torch.exp(-start) / 2 if name == "uw" else torch.exp(start))
    expect(problem, found, found)


@pytest.mark.parametrize("name", LEARNED)
def test_an_absent_tasks_scale_gets_no_gradient(name: str) -> None:
    method, problem = weighting(name), Problem(3, (1.0, 0.0))
    update(method, Problem(3))  # with a last loss of 1 its gradient would be 0 anyway
    update(method, problem)
    (scales,) = method.parameters()
    expected = SLOPES[name](problem.losses(), torch.zeros(2))
    assert scales.grad is not None
    assert scales.grad.tolist() == [expected[0], 0.0]


@pytest.mark.parametrize(("name", "product"), [("uw", 0.5), ("imtl_l", 1.0)])
def test_learned_scales_bring_all_losses_to_one_size(name: str, product: float) -> None:
    method, problem = weighting(name), Problem(3, (10.0, 0.1))
    losses = problem.losses()
    optimiser = torch.optim.SGD(method.parameters(), lr=0.05)
    distances = []
    for _ in range(300):
        distances.append((update(method, problem) * losses).log() - torch.tensor(product).log())
        optimiser.step()
    assert (distances[1].abs() < distances[0].abs()).all()
    torch.testing.assert_close(distances[-1], torch.zeros(2), atol=1e-2, rtol=0)


def test_imtl_l_is_twice_uw_for_the_negative_scales() -> None:
    uncertainty, balance, problem = weighting("uw"), weighting("imtl_l"), Problem(5)
    (variances,), (scales,) = uncertainty.parameters(), balance.parameters()
    with torch.no_grad():
        variances.copy_(torch.tensor([0.4, -0.2]))
        scales.copy_(-variances)
    torch.testing.assert_close(2 * update(uncertainty, problem), update(balance, problem))
    assert variances.grad is not None
    torch.testing.assert_close(-2 * variances.grad, scales.grad)


@pytest.mark.parametrize("name", LEARNED)
def test_learned_scales_stay_the_optimisers_parameters(name: str) -> None:
    method, other = weighting(name), weighting(name)
    live(other, range(3))
    before = method.parameters()
    method.load_state_dict(other.state_dict())
    method.to(torch.device("cpu"))
    assert [id(parameter) for parameter in method.parameters()] == [id(parameter) for parameter in before]
    torch.testing.assert_close(before, other.parameters())


@pytest.mark.parametrize("temperature", [2.0, 0.5])
def test_dwa_weighs_by_the_mean_losses_of_the_last_two_epochs(temperature: float) -> None:
    method, expected = weighting("dwa", temperature=temperature), DynamicWeights(temperature)
    for epoch in range(5):
        found = [Problem(3 * epoch + step, (2.0 - epoch / 4, 3.0)) for step in range(3)]
        for problem in found:
            weights = update(method, problem)
            np.testing.assert_allclose(weights.numpy(), expected.weights(), rtol=1e-5)
            torch.testing.assert_close(problem.trunk.grad, combined(problem, expected.weights()))
        method.end_epoch()
        expected.means.append(np.mean([losses_of(problem) for problem in found], axis=0))


def test_dwa_takes_means_over_the_batches_with_truth() -> None:
    method, expected = weighting("dwa"), DynamicWeights()
    for epoch in range(3):
        full, partial = Problem(2 * epoch), Problem(2 * epoch + 1, (1.0, 0.0))
        update(method, partial)
        update(method, full)
        method.end_epoch()
        both, one = losses_of(full), losses_of(partial)
        expected.means.append(np.array([(both[0] + one[0]) / 2, both[1]]))
    np.testing.assert_allclose(update(method, Problem(0)).numpy(), expected.weights(), rtol=1e-5)


def test_dwa_counts_a_task_that_was_absent_for_an_epoch_with_its_last_loss() -> None:
    method, expected = weighting("dwa"), DynamicWeights()
    for seed, scale in enumerate((3.0, 0.0)):
        update(method, Problem(seed, (1.0, scale)))
        method.end_epoch()
        expected.means.append(losses_of(Problem(seed, (1.0, scale))))
    expected.means[1][1] = expected.means[0][1]
    np.testing.assert_allclose(update(method, Problem(0)).numpy(), expected.weights(), rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"learning_rate": 0.1, "gamma": 0.5}])
def test_famo_learns_from_how_much_the_losses_fell(options: dict[str, float]) -> None:
    method = weighting("famo", **options)
    expected = Famo(options.get("learning_rate", 0.025), options.get("gamma", 1e-3))
    for seed in range(12):
        problem, fall = Problem(seed), np.array([0.95, 0.6 + seed / 20])
        before = losses_of(problem)
        found = update(method, problem)
        np.testing.assert_allclose(found.numpy(), expected.weights(before), rtol=1e-4)
        torch.testing.assert_close(
            problem.trunk.grad, combined(problem, expected.weights(before)), rtol=1e-4, atol=1e-5
        )
        method.observe(torch.tensor(before * fall).float())
        expected.learn(before, before * fall)


def test_famo_favours_the_task_that_falls_less() -> None:
    method, problem = weighting("famo"), Problem(0)
    first = update(method, problem)
    for _ in range(20):
        method.observe(problem.losses() * torch.tensor([0.99, 0.8]))
        last = update(method, problem)
    assert last[0] > first[0] + 0.01


def test_famo_hands_nothing_to_the_networks_optimiser() -> None:
    assert weighting("famo").parameters() == []


@pytest.mark.parametrize("name", ["rlw", "rgw"])
def test_random_weights_are_drawn_anew_and_lie_on_the_simplex(name: str) -> None:
    torch.manual_seed(0)
    method, problem = weighting(name), Problem(0)
    found = torch.stack([update(method, problem) for _ in range(400)])
    torch.testing.assert_close(found.sum(dim=1), torch.ones(400))
    assert (found > 0).all()
    assert len(found.unique(dim=0)) == 400
    # The weights' odds are normal with a variance of 2.
    odds = (found[:, 0] / found[:, 1]).log()
    assert abs(float(odds.mean())) < 4 * (2 / 400) ** 0.5
    assert float(odds.var()) == pytest.approx(2, rel=0.3)


def test_random_gradient_weighting_is_the_same_at_both_levels() -> None:
    gradients = []
    for level in ("features", "parameters"):
        problem = Problem(2)
        found = seeded_update(weighting("rgw", level=level), problem, 7)
        expect(problem, found, torch.ones(2))
        gradients.append(problem.trunk.grad)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("rlw", {"level": "features"}),
        ("rgw", {"level": "heads"}),
        ("dwa", {"temperature": 0}),
        ("uw", {"temperature": 1}),
        ("uw_so", {"temperature": -1}),
        ("imtl_l", {"level": "features"}),
        ("gls", {"mu": 1}),
        ("stch", {"mu": 0}),
        ("famo", {"learning_rate": 0}),
        ("famo", {"gamma": -1}),
    ],
)
def test_options_are_checked(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"weighting {name}, key {next(iter(options))}"):
        weighting(name, **options)
