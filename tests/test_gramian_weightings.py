"""Weightings by inner products: their updates, what they promise, what they keep, and where they do not take part."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from mtlaerial.errors import ConfigError
from mtlaerial.weighting import Weighting
from mtlaerial.weighting.gradient_weighting import GramianWeighting
from problem import TASKS, Problem, expect, update, weighting
from references_gramian import FEATURES, FORMULAS, REFERENCES, STATEFUL, Numbers, aligned_mtl, each, fair, imtl_g

SOLVED = [
    "pcgrad",
    "gradvac",
    "cagrad",
    "imtl_g",
    "imtl",
    "nash_mtl",
    "fairgrad",
    "aligned_mtl",
    "upgrad",
    "dualproj",
    "config",
    "cr_mogm",
    "mgda",
]
SYMMETRIC = [*SOLVED, "feature_normalisation"]
NAMES = [*SOLVED, "pcd", "mgda_ub"]
ONE_LEVEL = {"mgda", "mgda_ub"}
KEPT = ["gradvac", "pcd", "cr_mogm", "imtl"]
ACTIVE = torch.tensor([True, True])


def others(name: str) -> dict[str, Any]:
    """Return options for the level where a method was not published."""
    return {"level": "parameters" if name in FEATURES else "features"}


def gramian(seed: int, ratio: float = 1.0, size: float = 1.0) -> Tensor:
    """Return inner products of two random vectors in three dimensions, of which one is shorter by a ratio."""
    rows = torch.randn(2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = size * rows * torch.tensor([[1.0], [ratio]])
    return rows @ rows.T


def weights(method: Weighting, products: Tensor) -> Tensor:
    return cast(GramianWeighting, method).weights(products, torch.ones(2, dtype=torch.float64), ACTIVE)


def compare(found: Tensor, expected: Numbers, products: Tensor, tolerance: float) -> None:
    """Require that two updates differ by little against their length."""
    wanted = torch.from_numpy(expected)
    gap = found - wanted
    assert (gap @ products @ gap).clamp(min=0).sqrt() < tolerance * (wanted @ products @ wanted).sqrt()


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("scales", [(1.0, 3.0), (200.0, 0.02)])
def test_successive_updates_are_those_of_the_publication(name: str, scales: tuple[float, float]) -> None:
    problems = [Problem(seed, scales) for seed in range(8)]
    method = weighting(name)
    for problem, expected in zip(problems, REFERENCES[name](problems), strict=True):
        update(method, problem)
        torch.testing.assert_close(problem.trunk.grad, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", [name for name in (*FORMULAS, *STATEFUL) if name not in ONE_LEVEL])
def test_the_other_level_has_the_same_equations(name: str) -> None:
    problems, level = [Problem(seed) for seed in range(6)], others(name)["level"]
    references = STATEFUL[name](problems, level=level) if name in STATEFUL else each(FORMULAS[name], level)(problems)
    method = weighting(name, level=level)
    for problem, expected in zip(problems, references, strict=True):
        update(method, problem)
        torch.testing.assert_close(problem.trunk.grad, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("ratio", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "mgda_ub"])
def test_gradients_may_differ_in_size(name: str, ratio: float) -> None:
    for seed in range(6):
        products = gramian(seed, ratio)
        compare(weights(weighting(name), products), FORMULAS[name](products.numpy()), products, 1e-5)


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_may_be_small(name: str) -> None:
    for seed in range(5):
        products = gramian(seed, 0.3, 1e-8)
        compare(weights(weighting(name), products), FORMULAS[name](products.numpy()), products, 1e-5)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_weights_follow_the_order_of_the_tasks(name: str) -> None:
    for seed in range(10):
        products = gramian(seed, 0.2)
        there, back = weights(weighting(name), products), weights(weighting(name), products.flip(0, 1))
        torch.testing.assert_close(back, there.flip(0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("nash_mtl", "fairgrad")])
def test_weights_do_not_depend_on_the_scale_of_all_gradients(name: str) -> None:
    for seed in range(10):
        plain = weights(weighting(name), gramian(seed, 0.2))
        torch.testing.assert_close(weights(weighting(name), gramian(seed, 0.2, 1e-5)), plain, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "power"), [("nash_mtl", -1.0), ("fairgrad", -4 / 3)])
def test_bargaining_sets_the_length_of_the_update(name: str, power: float) -> None:
    for seed in range(20):
        free = weighting(name, max_norm=0.0)
        plain, large = weights(free, gramian(seed)), weights(free, gramian(seed, size=50.0))
        torch.testing.assert_close(large, 50.0**power * plain, rtol=1e-5, atol=0)
        short = weights(weighting(name, max_norm=1e-3), gramian(seed))
        torch.testing.assert_close(short / short.sum(), plain / plain.sum())
        torch.testing.assert_close(float(short @ gramian(seed) @ short), 1e-6)


def test_nash_mtl_has_a_length_of_its_own() -> None:
    for seed in range(20):
        products = gramian(seed, 1e-3, 1e-4)
        found = weights(weighting("nash_mtl", max_norm=0), products)
        torch.testing.assert_close(found * (products @ found), torch.ones(2, dtype=torch.float64), rtol=1e-5, atol=0)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_fairgrad_for_other_alphas(alpha: float) -> None:
    for seed in range(10):
        products = gramian(seed, 0.1)
        found = weights(weighting("fairgrad", alpha=alpha, max_norm=0), products)
        compare(found, fair(products.numpy(), alpha), products, 1e-5)


@pytest.mark.parametrize(
    "name", ["pcgrad", "upgrad", "dualproj", "nash_mtl", "fairgrad", "imtl_g", "config", "mgda", "pcd"]
)
def test_no_loss_rises(name: str) -> None:
    against = 0
    for seed in range(20):
        products = gramian(seed, 0.05)
        against += int(products[0, 1] < 0)
        found = weights(weighting(name), products)
        assert (products @ found > -1e-5 * (found @ products @ found * products.diagonal()).sqrt()).all()
    assert against > 5


def test_upgrad_is_half_of_pcgrad_and_gradvac_begins_as_it() -> None:
    for seed in range(20):
        products = gramian(seed, 0.5)
        expected = weights(weighting("pcgrad"), products)
        torch.testing.assert_close(2 * weights(weighting("upgrad"), products), expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(weights(weighting("gradvac"), products), expected)


def test_three_methods_share_a_direction_and_differ_in_length() -> None:
    for seed in range(10):
        found = [weights(weighting(name), gramian(seed, 0.5)) for name in ("imtl_g", "nash_mtl", "config")]
        shares = [row / row.sum() for row in found]
        torch.testing.assert_close(shares[1], shares[0], rtol=1e-5, atol=0)
        torch.testing.assert_close(shares[2], shares[0], rtol=1e-5, atol=0)
        assert found[2].sum() > found[0].sum()


def test_cagrad_is_as_libmtl_has_it_but_for_the_division() -> None:
    """LibMTL: the least of ``x' G b + c |g_0| sqrt(x' G x)`` over the simplex; ``g_0 + c |g_0| / |g_x| g_x``."""
    for seed in range(10):
        products = gramian(seed, 0.5)
        found = weights(weighting("cagrad", c=0.7), products)
        share = np.linspace(0, 1, 20001)
        points = np.stack([share, 1 - share])
        radius = 0.7 * np.sqrt(products.numpy().mean())
        sizes = np.sqrt(np.einsum("ik,ij,jk->k", points, products.numpy(), points))
        best = np.argmin(points.T @ products.numpy() @ [0.5, 0.5] + radius * sizes)
        compare(found, 0.5 + radius / sizes[best] * points[:, best], products, 1e-3)


@pytest.mark.parametrize("scale", ["min", "median", "rmse"])
def test_aligned_mtl_scales_as_asked(scale: str) -> None:
    for seed in range(10):
        products = gramian(seed, 0.5)
        squares = np.linalg.eigvalsh(products.numpy())
        factor = np.sqrt({"min": squares[0], "median": squares[0], "rmse": squares.mean()}[scale] / squares[0])
        found = weights(weighting("aligned_mtl", scale=scale), products)
        compare(found, factor * aligned_mtl(products.numpy()), products, 1e-8)


def test_pcd_follows_the_primary_task() -> None:
    for seed in range(20):
        products = gramian(seed, 0.3)
        first, second = (weights(weighting("pcd", primary=task, tau=0.1), products) for task in TASKS)
        swapped = weights(weighting("pcd", tau=0.1), products.flip(0, 1))
        torch.testing.assert_close(second, swapped.flip(0))
        for task, found in enumerate((first, second)):
            rates, squares = products @ found, products.diagonal()
            torch.testing.assert_close(float(found @ products @ found), float(squares[task]))
            agreement = float(products[0, 1] / squares.prod().sqrt())
            if agreement > 0.1:
                assert found[1 - task] == 0
            else:  # the other one gets just its share of the direction that has 1 for a weight of the primary one
                direction = found[task] * squares[task].sqrt()
                torch.testing.assert_close(float(rates[1 - task] / squares[1 - task].sqrt() / direction), 0.1)


@pytest.mark.parametrize("of", ["mgda", "pcgrad", "cagrad"])
def test_cr_mogm_averages_the_weights_of_a_method(of: str) -> None:
    method, base, expected = weighting("cr_mogm", of=of, alpha=0.6), weighting(of), None
    for seed in range(6):
        now = weights(base, gramian(seed, 0.5))
        expected = now if expected is None else 0.6 * expected + 0.4 * now
        torch.testing.assert_close(weights(method, gramian(seed, 0.5)), expected)


def test_imtl_balances_the_gradients_of_scaled_losses() -> None:
    problem, method = Problem(3), weighting("imtl")
    (logarithms,) = method.parameters()
    with torch.no_grad():
        logarithms.copy_(torch.tensor([0.5, -1.0]))
    scales = torch.tensor([0.5, -1.0]).double().exp()
    found = update(method, problem)
    scaled = problem.gramian("features") * torch.outer(scales, scales)
    expect(problem, scales * torch.from_numpy(imtl_g(scaled.numpy())), scales)
    torch.testing.assert_close(found, (scales * torch.from_numpy(imtl_g(scaled.numpy()))).float())
    torch.testing.assert_close(logarithms.grad, scales.float() * problem.losses() - 1)


def test_imtl_learns_where_a_task_has_truth_alone() -> None:
    method = weighting("imtl")
    (logarithms,) = method.parameters()
    problem = Problem(3, scales=(1.0, 0.0))
    update(method, problem, scale=lambda loss: 8 * loss)
    assert logarithms.grad is not None
    torch.testing.assert_close(logarithms.grad, 8 * torch.tensor([float(problem.losses()[0]) - 1, 0.0]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("absent", [0, 1])
def test_a_task_without_truth_takes_no_part_and_leaves_no_trace(name: str, absent: int) -> None:
    scales = ((0.0, 1.0), (1.0, 0.0))[absent]
    disturbed, plain = weighting(name), weighting(name)
    for seed in range(3):
        update(disturbed, Problem(seed))
        update(plain, Problem(seed))
        problem = Problem(seed + 10, scales)
        found = update(disturbed, problem)
        assert found[absent] == 0
        assert found[1 - absent] > 0
        expect(problem, found, torch.ones(2), rtol=1e-5, atol=1e-6)
    expected = update(plain, Problem(5))
    torch.testing.assert_close(update(disturbed, Problem(5)), expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("parts", [2, 3])
def test_passes_add_up_to_the_batch(name: str, parts: int) -> None:
    for options in [{}] if name in ONE_LEVEL else [{}, others(name)]:
        whole, divided = weighting(name, **options), weighting(name, **options)
        for seed in range(3):
            one, other = Problem(seed), Problem(seed)
            torch.testing.assert_close(update(divided, other, parts), update(whole, one), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(other.trunk.grad, one.trunk.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_scaled_for_half_precision_give_the_same_weights(name: str) -> None:
    plain, scaled = weighting(name), weighting(name)
    for seed in range(3):
        one, other = Problem(seed), Problem(seed)
        torch.testing.assert_close(update(scaled, other, scale=lambda loss: 1024 * loss), update(plain, one))
        assert one.trunk.grad is not None
        torch.testing.assert_close(other.trunk.grad, 1024 * one.trunk.grad)


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("before", [0, 4])
def test_a_kept_state_goes_on_bit_by_bit(name: str, before: int, tmp_path: Path) -> None:
    whole, restored = weighting(name), weighting(name)
    update(restored, Problem(20))
    for seed in range(before):
        update(whole, Problem(seed))
    torch.save(whole.state_dict(), tmp_path / "state.pt")
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for seed in range(4, 8):
        expected = update(whole, Problem(seed))
        torch.testing.assert_close(update(restored, Problem(seed)), expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", KEPT)
def test_an_overflow_leaves_the_state_alone(name: str) -> None:
    method, plain = weighting(name), weighting(name)
    for seed in range(3):
        update(method, Problem(seed))
        update(plain, Problem(seed))
    update(method, Problem(9), scale=lambda loss: float("inf") * loss)
    torch.testing.assert_close(update(method, Problem(5)), update(plain, Problem(5)), rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_may_be_parallel(name: str) -> None:
    for cosine in (1 - 1e-7, 1.0, 1 + 1e-7, -1 + 1e-7, -1.0):
        products = torch.tensor([[1.0, 0.5 * cosine], [0.5 * cosine, 0.25]], dtype=torch.float64)
        found = weights(weighting(name), products)
        assert found.isfinite().all()


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("cagrad", {"c": 1.0}, "c"),
        ("gradvac", {"beta": 1.5}, "beta"),
        ("fairgrad", {"alpha": 0.0}, "alpha"),
        ("nash_mtl", {"max_norm": -1.0}, "max_norm"),
        ("nash_mtl", {"alpha": 2.0}, "alpha"),
        ("aligned_mtl", {"scale": "max"}, "scale"),
        ("pcd", {"tau": 2.0}, "tau"),
        ("pcd", {"primary": "depth"}, "primary"),
        ("cr_mogm", {"of": "cr_mogm"}, "of"),
        ("cr_mogm", {"alpha": 1.0}, "alpha"),
        ("pcgrad", {"level": "pixels"}, "level"),
        ("mgda_ub", {"level": "parameters"}, "level"),
    ],
)
def test_options_are_checked(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=f"weighting {name}, key {words}"):
        weighting(name, **options)
