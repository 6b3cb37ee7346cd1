"""Weightings that remember other batches, and GradDrop: properties beyond the contract."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.weighting.methods.moco import project
from mtlaerial.weighting.row_weighting import rows
from support.weighting_options import variants
from support.weighting_problem import THREE, Problem, update, varied_problems, weighting
from support.weighting_references_rows import REFERENCES

ON_SIMPLEX = ["excess_mtl", "moco", "modo", "sdmgrad"]


def random_rows(seed: int) -> Tensor:
    return torch.randn(3, 7, generator=torch.Generator().manual_seed(seed))


def decided(method: Any, gradients: Tensor) -> Tensor:
    """Return the weights for given rows."""
    return cast(Tensor, method.decide(gradients.clone(), torch.ones(len(gradients)), 1.0))


def same_batches(seed: int) -> Problem:
    """Return a problem of three tasks whose batches are all the same, with gradients of a mean square of 1."""
    problem = Problem(seed, (1.0, 1.0, 1.0), tasks=THREE)
    problem.image = problem.image[:1].expand_as(problem.image).clone()
    problem.truth = {task: truth[:1].expand_as(truth).clone() for task, truth in problem.truth.items()}
    size = float(problem.gramian("parameters").diagonal().mean().sqrt())
    problem.scales = dict.fromkeys(THREE, 1 / size)
    return problem


def assert_least_norm(weights: Tensor, products: Tensor) -> None:
    """Require Désidéri's optimality: along the combination no loss falls less than its norm squared says."""
    along = products @ weights.double()
    assert along.min() >= weights.double() @ along - 1e-3


@pytest.mark.parametrize(
    ("name", "options", "arguments"),
    [
        ("excess_mtl", {"step_size": 2.0}, {"eta": 2.0}),
        ("db_mtl", {"beta": 0.5, "decay": 0.7}, {"beta": 0.5, "decay": 0.7}),
        ("moco", {"beta": 0.6, "gamma": 0.03, "rho": 0.0}, {"beta": 0.6, "gamma": 0.03, "rho": 0.0}),
        ("modo", {"gamma": 0.01, "rho": 0.5}, {"gamma": 0.01, "rho": 0.5}),
        ("sdmgrad", {"mean_share": 2.0}, {"share": 2.0}),
        ("graddrop", {"leak": 0.3}, {"leak": 0.3}),
    ],
)
def test_options_are_those_of_the_equations(name: str, options: dict[str, Any], arguments: dict[str, Any]) -> None:
    method, problems = weighting(name, **options), varied_problems(4)
    for seed, (problem, expected) in enumerate(zip(problems, REFERENCES[name](problems, **arguments), strict=True)):
        torch.testing.assert_close(update(method, problem, seed=seed).trunk, expected, rtol=1e-4, atol=1e-5)
    assert (expected - REFERENCES[name](problems)[-1]).abs().max() > 1e-3


def flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def scaled_to_half(gradients: Iterable[Tensor]) -> tuple[Tensor, ...]:
    return tuple(gradient.half() * 100 for gradient in gradients)


def test_rows_of_features_are_the_gradients_of_constants_added_to_channels() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 8, 10)
    added = [torch.zeros(f.shape[1], requires_grad=True) for f in features]
    moved = [f + a[:, None, None] for f, a in zip(features, added, strict=True)]
    losses = [(flat(moved) ** power).sum() for power in (2, 3)]
    gradients = [torch.autograd.grad(loss, moved, retain_graph=True) for loss in losses]
    expected = torch.stack([flat(torch.autograd.grad(loss, added, retain_graph=True)) for loss in losses])
    torch.testing.assert_close(rows(gradients, "features"), expected)
    half = rows([scaled_to_half(of_task) for of_task in gradients], "features")
    torch.testing.assert_close(half, 100 * expected, rtol=1e-2, atol=1.0)  # sums beyond half precision


@pytest.mark.parametrize("name", ["db_mtl", "moco"])
def test_the_average_of_an_absent_task_stays(name: str) -> None:
    for options in variants(name):
        method = weighting(name, **options)
        for seed in range(2):
            update(method, Problem(seed))
        before = method.state_dict()
        update(method, Problem(4, (0.0, 1.0)))
        after = method.state_dict()
        assert torch.equal(after["average"][0], before["average"][0])
        assert not torch.equal(after["average"][1], before["average"][1])
        assert name != "moco" or torch.equal(after["weights"], before["weights"])


@pytest.mark.parametrize("name", ["modo", "sdmgrad"])
def test_an_overflow_before_the_update_leaves_the_weights(name: str) -> None:
    for options in variants(name):
        method, problem, undisturbed = weighting(name, **options), Problem(1), Problem(1)
        expected = update(method, Problem(0)).weights
        problem.image[0] = torch.inf
        outcome = update(method, problem)
        torch.testing.assert_close(outcome.weights, expected, rtol=0, atol=0)
        first, second = undisturbed.gradients("parameters", 2)
        torch.testing.assert_close(outcome.trunk, expected[0] * first + expected[1] * second)


class Collinear(Problem):
    """Both tasks pull along one line: the second with a multiple of the first one's gradients, or against it."""

    def __init__(self, seed: int, times: float) -> None:
        super().__init__(seed, (1.0, abs(times)))
        self.heads["height"].data = self.heads["semantics"].data.clone()
        outputs = torch.tanh(self.image @ self.trunk.detach().T) @ self.heads["semantics"].detach()
        truth = self.truth["semantics"]
        self.truth["height"] = truth if times > 0 else 2 * outputs - truth


EXTREMES: list[Callable[[int], Problem]] = [
    lambda seed: Problem(seed, (1.0, 1e6)),
    lambda seed: Problem(seed, (1e6, 1.0)),
    lambda seed: Problem(seed, (1e-6, 1e-12)),
    lambda seed: Problem(seed, (1.0, 1e6 if seed == 3 else 1.0)),
    lambda seed: Collinear(seed, 1.0),
    lambda seed: Collinear(seed, 1e6),
    lambda seed: Collinear(seed, -1.0),
    lambda seed: Collinear(seed, -1e-6),
]


@pytest.mark.quick_cases(3, "many updates a case")
@pytest.mark.parametrize("name", REFERENCES)
def test_nothing_is_lost_to_extreme_gradients(name: str) -> None:
    for options in variants(name):
        for number, make in enumerate(EXTREMES):
            method = weighting(name, **options)
            for seed in range(6):
                outcome = update(method, make(seed), seed=seed)
                assert outcome.weights.isfinite().all(), number
                assert outcome.trunk.isfinite().all(), number
                if name in ON_SIMPLEX:
                    torch.testing.assert_close(float(outcome.weights.sum()), 1.0, rtol=0, atol=1e-5)
            tensors = [value for value in method.state_dict().values() if isinstance(value, Tensor)]
            assert all(tensor.isfinite().all() for tensor in tensors), number


def test_excess_risks_do_not_depend_on_the_scale_of_any_loss() -> None:
    scales = torch.tensor([1e-6, 1.0, 1e4])[:, None]
    for seed in range(20):
        method, scaled = (weighting("excess_mtl", THREE, step_size=1.0) for _ in range(2))
        for number in range(3):
            gradients = random_rows(3 * seed + number)
            expected = decided(method, gradients)
            torch.testing.assert_close(decided(scaled, scales * gradients), expected, rtol=1e-4, atol=1e-5)
        assert expected.max() > 0.34


def test_excess_risks_are_compared_with_those_of_the_warm_up() -> None:
    method, equal = weighting("excess_mtl", THREE, warmup=3), torch.full((3,), 1 / 3).double()
    for number in range(5):
        chosen = decided(method, random_rows(number))
        assert torch.allclose(chosen, equal, rtol=0, atol=1e-6) == (number < 3)


def test_the_weights_of_sdmgrad_do_not_depend_on_the_scale_of_all_gradients() -> None:
    for scale in (2.0**-20, 2.0**13):  # powers of two: rounding is the same
        method, scaled = weighting("sdmgrad"), weighting("sdmgrad")
        for seed in range(10):
            expected = update(method, Problem(seed)).weights
            outcome = update(scaled, Problem(seed, (scale, 3 * scale)))
            torch.testing.assert_close(outcome.weights, expected, rtol=1e-4, atol=1e-5)


def test_the_update_of_db_mtl_does_not_depend_on_the_scale_of_any_loss() -> None:
    for options in variants("db_mtl"):
        method, method_of_scaled = weighting("db_mtl", **options), weighting("db_mtl", **options)
        for seed in range(15):
            plain, scaled = update(method, Problem(seed)), update(method_of_scaled, Problem(seed, (1e3, 0.01)))
            torch.testing.assert_close([scaled.trunk, *scaled.heads], [plain.trunk, *plain.heads], rtol=1e-4, atol=1e-5)


@pytest.mark.quick_cases(1, "a long training a case")
@pytest.mark.parametrize("name", ["moco", "modo"])
def test_weights_tend_to_the_least_norm_if_batches_are_alike(name: str) -> None:
    for seed in range(3):
        problem, method = same_batches(seed), weighting(name, THREE, rho=0.0, gamma=0.5)
        for _ in range(150):
            weights = update(method, problem).weights
        assert_least_norm(weights, problem.gramian("parameters"))


def test_sdmgrad_solves_its_problem_if_batches_are_alike() -> None:
    for seed in range(5):
        problem = same_batches(seed)
        method = weighting("sdmgrad", THREE, learning_rate=0.1, iterations=2000)
        descended = 1.3 * update(method, problem).weights.double() - 0.1  # w
        slope = problem.gramian("parameters") @ (descended + 0.1)
        assert descended.min() >= -1e-6
        assert slope.min() >= descended @ slope - 1e-3  # no other convex combination is shorter


def test_the_nearest_point_of_the_simplex() -> None:
    torch.manual_seed(0)
    others = torch.distributions.Dirichlet(torch.ones(7).double()).sample((500,))
    for seed in range(20):
        point = 2 * random_rows(seed)[0].double()
        nearest = project(point)
        torch.testing.assert_close(nearest, project(point + 1e12), rtol=0, atol=1e-3)
        assert nearest.min() >= 0
        torch.testing.assert_close(float(nearest.sum()), 1.0)
        assert ((others - nearest) @ (point - nearest)).max() < 1e-9  # the angle to every other point is blunt


def test_the_weights_of_graddrop_are_the_nearest_combination() -> None:
    for seed in range(5):
        problem = Problem(seed)
        outcome = update(weighting("graddrop", level="parameters"), problem, seed=seed)
        gradients = np.stack([gradient.numpy().ravel() for gradient in problem.gradients("parameters")])
        expected = np.linalg.lstsq(gradients.T, outcome.trunk.numpy().ravel(), rcond=None)[0]
        np.testing.assert_allclose(outcome.weights.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_graddrop_retains_on_average_each_sign_with_its_share() -> None:
    method, problem, number = weighting("graddrop", level="parameters"), Problem(2), 500
    mean = torch.stack([update(method, problem, seed=seed).trunk for seed in range(number)]).double().mean(dim=0)
    gradients = torch.stack(problem.gradients("parameters"))
    positive, negative = gradients.clamp(min=0).sum(dim=0), gradients.clamp(max=0).sum(dim=0)
    share = positive / (positive - negative)
    spread = (positive - negative) * (share * (1 - share) / number).sqrt()
    assert ((mean - share * positive - (1 - share) * negative).abs() <= 4 * spread + 1e-5).all()


def test_graddrop_scales_with_the_gradients_and_leaks_to_the_plain_sum() -> None:
    problem, scaled_problem = Problem(1, (1.0, 3.0)), Problem(1, (1e-6, 3e-6))
    plain, small = update(weighting("graddrop"), problem, seed=1), update(weighting("graddrop"), scaled_problem, seed=1)
    torch.testing.assert_close(1e6 * small.trunk, plain.trunk)
    leaked = update(weighting("graddrop", leak=1.0), problem, seed=1)
    torch.testing.assert_close(leaked.weights, torch.ones(2))
    torch.testing.assert_close(leaked.trunk, sum(problem.gradients("parameters")))
