"""Weightings by inner products of the tasks' gradients: properties beyond the contract."""

import itertools
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.weighting import GramianWeighting, Step, Weighting
from mtlaerial.weighting.methods.dual_cone import project
from support.weighting_assertions import assert_follows
from support.weighting_problem import TASKS, Problem, set_learned, update, weighting
from support.weighting_references_gramian import FORMULAS, Numbers, aligned_mtl, fair, imtl_g

ANY_SCALE = [*FORMULAS, "gradvac", "cr_mogm", "pcd"]
CONFLICT_FREE = ["pcgrad", "upgrad", "dualproj", "nash_mtl", "fairgrad", "imtl_g", "config", "mgda", "mgda_ub", "pcd"]
BARGAINING = {"nash_mtl": -1.0, "fairgrad": -4 / 3}
"""The power of the gradients' scale that the weights have."""


def gramian(seed: int, ratio: float = 1.0, size: float = 1.0) -> Tensor:
    """Return inner products of two random vectors in three dimensions, of which one is shorter by a ratio."""
    rows = torch.randn(2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = size * rows * torch.tensor([[1.0], [ratio]])
    return rows @ rows.T


def weights(method: Weighting, products: Tensor) -> Tensor:
    method.begin(Step([], {}))  # brings the generator for solvers that draw
    losses, active = torch.ones(2, dtype=torch.float64), torch.tensor([True, True])
    return cast(GramianWeighting, method).weights(products, losses, active)


def assert_near(chosen: Tensor, expected: Numbers, products: Tensor, tolerance: float) -> None:
    """Require that two updates differ by little against their length."""
    reference = torch.from_numpy(expected)
    gap = chosen - reference
    assert (gap @ products @ gap).clamp(min=0).sqrt() < tolerance * (reference @ products @ reference).sqrt()


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_may_be_small_and_differ_in_size(name: str) -> None:
    for seed in range(6):
        for ratio, size in ((1.0, 1.0), (1e-2, 1.0), (1e-4, 1.0), (0.3, 1e-8)):
            products = gramian(seed, ratio, size)
            assert_near(weights(weighting(name), products), FORMULAS[name](products.numpy()), products, 1e-5)


def test_weights_do_not_depend_on_the_scale_of_all_gradients() -> None:
    for name in ANY_SCALE:
        for seed in range(10):
            products, power = gramian(seed, 0.2), BARGAINING.get(name, 0.0)
            free = {"max_norm": 0.0} if name in BARGAINING else {}
            plain, small = (
                weights(weighting(name, **free), products),
                weights(weighting(name, **free), 1e-10 * products),
            )
            torch.testing.assert_close(small / 1e-5**power, plain, rtol=1e-5, atol=1e-8)


def test_imtl_g_as_published_may_raise_three_losses_that_config_lowers() -> None:
    """Equal projections with weights of a negative sum: brought to a sum of 1 they change their sign."""
    rows = torch.tensor([[1.0, 0.0], [0.95, 0.31], [0.8, 0.6]], dtype=torch.float64)
    rows = torch.nn.functional.normalize(torch.hstack([rows, torch.tensor([[0.05], [-0.05], [0.05]])]), dim=1)
    rows = rows * torch.tensor([[1.0], [0.01], [1.0]])
    projections = {}
    for name in ("imtl_g", "config"):
        method = weighting(name, tasks=("semantics", "height", "edges"))
        losses, active = torch.ones(3, dtype=torch.float64), torch.ones(3, dtype=torch.bool)
        weights_of_three = cast(GramianWeighting, method).weights(rows @ rows.T, losses, active)
        projections[name] = rows @ (weights_of_three @ rows) / rows.norm(dim=1)
    assert torch.allclose(projections["imtl_g"], projections["imtl_g"].mean())
    assert (projections["config"] > 0).all()
    assert (projections["imtl_g"] < 0).all()


def test_no_loss_rises() -> None:
    conflicts = 0
    for seed in range(20):
        products = gramian(seed, 0.05)
        conflicts += int(products[0, 1] < 0)
        for name in (
            "pcgrad",
            "upgrad",
            "dualproj",
            "nash_mtl",
            "fairgrad",
            "imtl_g",
            "config",
            "mgda",
            "mgda_ub",
            "pcd",
        ):
            chosen = weights(weighting(name), products)
            least = -1e-5 * (chosen @ products @ chosen * products.diagonal()).sqrt()
            assert (products @ chosen > least).all(), name
    assert conflicts > 5


def test_gradients_may_be_parallel() -> None:
    for name in (*ANY_SCALE, "gradnorm", "rgw"):
        for cosine in (1 - 1e-7, 1.0, 1 + 1e-7, -1 + 1e-7, -1.0):
            products = torch.tensor([[1.0, 0.5 * cosine], [0.5 * cosine, 0.25]], dtype=torch.float64)
            assert weights(weighting(name), products).isfinite().all(), (name, cosine)


def test_upgrad_is_half_of_pcgrad_and_gradvac_begins_as_it() -> None:
    for seed in range(20):
        products = gramian(seed, 0.5)
        expected = weights(weighting("pcgrad"), products)
        torch.testing.assert_close(2 * weights(weighting("upgrad"), products), expected, rtol=0, atol=1e-9)
        torch.testing.assert_close(weights(weighting("gradvac"), products), expected)


def _least_norm(weights: Numbers, cosines: Numbers) -> Numbers:
    """Return the projection of a combination of gradients: the best of those with some of the weights left free."""
    candidates = []
    for free in itertools.product([False, True], repeat=len(weights)):
        solution, rest = weights.copy(), ~np.array(free)
        solution[~rest] = np.linalg.solve(cosines[~rest][:, ~rest], -cosines[~rest][:, rest] @ weights[rest])
        if (solution >= weights - 1e-12).all():
            candidates.append(solution)
    return min(candidates, key=lambda solution: float(solution @ cosines @ solution))


@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_projections_onto_the_cone_are_those_of_least_norm(tasks: int) -> None:
    generator = torch.Generator().manual_seed(tasks)
    for _ in range(30):
        rows = torch.randn(tasks, 4, generator=generator, dtype=torch.float64)
        rows /= rows.norm(dim=1, keepdim=True)
        cosines, combinations = rows @ rows.T, torch.rand(2, tasks, generator=generator, dtype=torch.float64)
        expected = np.stack([_least_norm(weights, cosines.numpy()) for weights in combinations.numpy()])
        torch.testing.assert_close(project(combinations, cosines), torch.from_numpy(expected), rtol=0, atol=1e-9)


def test_three_methods_share_a_direction_and_differ_in_length() -> None:
    for seed in range(10):
        balanced, bargained, agreed = (
            weights(weighting(n), gramian(seed, 0.5)) for n in ("imtl_g", "nash_mtl", "config")
        )
        direction = balanced / balanced.sum()
        for longer in (bargained, agreed):
            torch.testing.assert_close(longer / longer.sum(), direction, rtol=1e-5, atol=0)
        assert agreed.sum() > balanced.sum()


def test_imtl_g_has_equal_projections_on_the_directions_of_the_gradients() -> None:
    for seed in range(10):
        products = gramian(seed, 0.3)
        chosen = weights(weighting("imtl_g"), products)
        first, second = (products @ chosen) / products.diagonal().sqrt()
        torch.testing.assert_close(first, second)
        torch.testing.assert_close(float(chosen.sum()), 1.0)


def test_bargaining_shortens_the_update_to_its_greatest_norm() -> None:
    for name in BARGAINING:
        for seed in range(20):
            plain = weights(weighting(name, max_norm=0.0), gramian(seed))
            short = weights(weighting(name, max_norm=1e-3), gramian(seed))
            torch.testing.assert_close(short / short.sum(), plain / plain.sum())
            torch.testing.assert_close(float(short @ gramian(seed) @ short), 1e-6)


def test_nash_mtl_solves_its_equation_for_small_gradients() -> None:
    for seed in range(20):
        products = gramian(seed, 1e-3, 1e-4)
        chosen = weights(weighting("nash_mtl", max_norm=0), products)
        torch.testing.assert_close(chosen * (products @ chosen), torch.ones(2, dtype=torch.float64), rtol=1e-5, atol=0)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_fairgrad_for_other_alphas(alpha: float) -> None:
    for seed in range(10):
        products = gramian(seed, 0.1)
        chosen = weights(weighting("fairgrad", alpha=alpha, max_norm=0), products)
        assert_near(chosen, fair(products.numpy(), alpha), products, 1e-5)


def test_cagrad_is_that_of_libmtl_but_for_the_division() -> None:
    """LibMTL: the least of ``x' G b + c |g_0| sqrt(x' G x)`` over the simplex; ``g_0 + c |g_0| / |g_x| g_x``."""
    share = np.linspace(0, 1, 20001)
    points = np.stack([share, 1 - share])
    for seed in range(10):
        products = gramian(seed, 0.5)
        radius = 0.7 * np.sqrt(products.numpy().mean())
        sizes = np.sqrt(np.einsum("ik,ij,jk->k", points, products.numpy(), points))
        best = np.argmin(points.T @ products.numpy() @ [0.5, 0.5] + radius * sizes)
        chosen = weights(weighting("cagrad", c=0.7), products)
        assert_near(chosen, 0.5 + radius / sizes[best] * points[:, best], products, 1e-3)


@pytest.mark.parametrize("scale", ["min", "median", "rmse"])
def test_aligned_mtl_scales_by_the_chosen_singular_value(scale: str) -> None:
    for seed in range(10):
        products = gramian(seed, 0.5)
        squares = np.linalg.eigvalsh(products.numpy())
        factor = np.sqrt(squares.mean() / squares[0]) if scale == "rmse" else 1.0
        chosen = weights(weighting("aligned_mtl", scale=scale), products)
        assert_near(chosen, factor * aligned_mtl(products.numpy()), products, 1e-8)


def test_pcd_follows_the_primary_task() -> None:
    for seed in range(20):
        products = gramian(seed, 0.3)
        squares = products.diagonal()
        agreement = float(products[0, 1] / squares.prod().sqrt())
        for task, name in enumerate(TASKS):
            chosen = weights(weighting("pcd", primary=name, tau=0.1), products)
            torch.testing.assert_close(float(chosen @ products @ chosen), float(squares[task]))
            if agreement > 0.1:
                assert chosen[1 - task] == 0
                continue
            # The other one gets just its share of the direction that has 1 for a weight of the primary one.
            pace = (products @ chosen)[1 - task] / squares[1 - task].sqrt()
            torch.testing.assert_close(float(pace / (chosen[task] * squares[task].sqrt())), 0.1)


@pytest.mark.parametrize("of", ["mgda", "pcgrad", "cagrad"])
def test_cr_mogm_averages_the_weights_of_a_method(of: str) -> None:
    method, expected = weighting("cr_mogm", of=of, alpha=0.6), None
    for seed in range(6):
        products = gramian(seed, 0.5)
        latest = weights(weighting(of), products)
        expected = latest if expected is None else 0.6 * expected + 0.4 * latest
        torch.testing.assert_close(weights(method, products), expected)


def test_imtl_balances_the_gradients_of_scaled_losses() -> None:
    logarithms = torch.tensor([0.5, -1.0])
    scales = logarithms.double().exp()
    for parts in (1, 2):
        problem, method = Problem(3), weighting("imtl")
        set_learned(method, logarithms)
        outcome = update(method, problem, parts)
        balanced = imtl_g((problem.gramian("features") * torch.outer(scales, scales)).numpy())
        torch.testing.assert_close(outcome.weights, (scales * torch.from_numpy(balanced)).float())
        assert_follows(outcome, problem, scales)
        torch.testing.assert_close(outcome.learned, [scales.float() * problem.losses() - 1])


def test_imtl_learns_only_the_scales_of_tasks_with_truth() -> None:
    problem = Problem(3, scales=(1.0, 0.0))
    outcome = update(weighting("imtl"), problem, scale=lambda loss: 8 * loss)
    torch.testing.assert_close(outcome.learned, [8 * torch.tensor([float(problem.losses()[0]) - 1, 0.0])])


def test_gradnorm_begins_with_equal_weights_and_moves_towards_equal_norms() -> None:
    problem, method = Problem(2, (1.0, 20.0)), weighting("gradnorm", alpha=0.0, learning_rate=0.05)
    norms = problem.gramian("features").diagonal().sqrt().float()
    first = update(method, problem).weights
    torch.testing.assert_close(first, torch.ones(2))
    second = update(method, problem).weights
    # Adam's first step is the learning rate, against the sign of the norm's excess; the sum stays 2.
    moved = torch.where(norms > norms.mean(), 1 - 0.05, 1 + 0.05)
    torch.testing.assert_close(second, 2 * moved / moved.sum())
    for _ in range(500):
        last = update(method, problem).weights * norms
    torch.testing.assert_close(float(last[0] / last[1]), 1.0, atol=0.2, rtol=0)


def test_gradnorm_favours_the_task_that_trains_slowly() -> None:
    method: Any = weighting("gradnorm", alpha=1.5, learning_rate=0.01)
    products, active = torch.eye(2, dtype=torch.float64), torch.tensor([True, True])
    method.weights(products, torch.tensor([4.0, 10.0]).double(), active)
    for _ in range(5):  # the first loss has fallen to a quarter, the second not at all; norms are equal
        last = method.weights(products, torch.tensor([1.0, 10.0]).double(), active)
    assert last[1] > 1.01
    assert last[0] < 0.99


def test_gradnorm_keeps_every_weight_positive() -> None:
    method, problem = weighting("gradnorm", learning_rate=0.5, alpha=0.0), Problem(2, (1.0, 1e4))
    for _ in range(20):
        chosen = update(method, problem).weights
        assert chosen.min() > 0
        torch.testing.assert_close(float(chosen.sum()), 2.0)
