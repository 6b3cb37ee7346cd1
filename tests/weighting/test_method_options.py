"""Options that several methods share: preferences, normalised gradients, variants, and weights that are reused."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.weighting import GramianWeighting, Step, Weighting
from support.weighting_assertions import CLOSE, SAME_BYTES, assert_follows, assert_same, assert_same_state, through_file
from support.weighting_options import DEFAULTS
from support.weighting_problem import SAMPLES, TASKS, Outcome, Problem, update, weighting
from support.weighting_processes import AddUp, run_processes
from support.weighting_references_gramian import cosine, length, mgda, norms

Numbers = NDArray[np.float64]
PREFERENCES = {"semantics": 3.0, "height": 1.0}
SHARES = np.array([0.75, 0.25])


def gramian(seed: int, size: float = 0.3) -> Numbers:
    rows = np.random.default_rng(seed).standard_normal((2, 3)) * np.array([[1.0], [size]])
    return rows @ rows.T


def chosen(name: str, products: Numbers, losses: tuple[float, float] = (1.0, 1.0), **options: Any) -> Numbers:
    method = cast(GramianWeighting, weighting(name, **options))
    method.begin(Step([], {}))
    active = torch.tensor([True, True])
    return method.weights(torch.from_numpy(products), torch.tensor(losses).double(), active).numpy()


def projected(task: int, products: Numbers) -> Numbers:
    """Quinton & Rey 2024: a gradient less its component along the other, if they conflict; as weights."""
    weights = np.eye(2)[task]
    weights[1 - task] = -min(products[0, 1], 0.0) / products[1 - task, 1 - task]
    return weights


def upgrad(products: Numbers) -> Numbers:
    return SHARES[0] * projected(0, products) + SHARES[1] * projected(1, products)


def dualproj(products: Numbers) -> Numbers:
    """The preferred mean, less its component along a gradient against which it goes: at most one of two."""
    weights = SHARES.copy()
    against = products @ weights
    for task in np.flatnonzero(against < 0):
        weights[task] -= against[task] / products[task, task]
    return weights


def aligned_mtl(products: Numbers) -> Numbers:
    """Senushkin et al. 2023, algorithm 1, whose preferences here add up to 2."""
    left, sizes, _ = np.linalg.svd(np.linalg.cholesky(products))
    return left @ np.diag(sizes.min() / sizes) @ left.T @ (2 * SHARES)


@pytest.mark.parametrize("reference", [upgrad, dualproj, aligned_mtl])
def test_preferences_weigh_the_tasks_as_published(reference: Callable[[Numbers], Numbers]) -> None:
    conflicts = 0
    for seed in range(12):
        products = gramian(seed)
        conflicts += products[0, 1] < 0
        weights = chosen(reference.__name__, products, preferences=PREFERENCES)
        np.testing.assert_allclose(weights, reference(products), rtol=1e-6, atol=1e-9)
    assert 2 < conflicts < 10


def test_config_has_cosines_in_proportion_to_the_preferences() -> None:
    for seed in range(12):
        products = gramian(seed)
        weights = chosen("config", products, preferences=PREFERENCES)
        size = length(weights, products)
        cosines = products @ weights / norms(products) / size
        assert cosines[0] / cosines[1] == pytest.approx(3.0)
        assert size == pytest.approx(norms(products) @ cosines)  # the projections add up to the length


@pytest.mark.parametrize("name", ["upgrad", "dualproj", "aligned_mtl", "config", "stch"])
def test_only_the_ratios_of_preferences_count_and_equal_ones_are_the_default(name: str) -> None:
    problem = Problem(3)
    expected, equal = (update(weighting(name, **o), problem) for o in ({}, {"preferences": dict.fromkeys(TASKS, 7.0)}))
    assert_same(equal, expected, **SAME_BYTES)
    once, tenfold = (
        update(weighting(name, preferences={"semantics": 3.0 * f, "height": f}), problem) for f in (1.0, 10.0)
    )
    assert_same(once, tenfold, **CLOSE)
    assert (once.weights - expected.weights).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["mgda", "mgda_ub"])
def test_mgda_seeks_weights_for_normalised_gradients_and_applies_them_to_the_gradients(name: str) -> None:
    """Sener & Koltun 2018: the normalisers of the authors' code."""
    for seed in range(8):
        products, losses = gramian(seed), (0.5, 4.0)
        normalisers = {
            "none": np.ones(2),
            "l2": norms(products),
            "loss": np.array(losses),
            "loss+": norms(products) * losses,
        }
        for key, divisors in normalisers.items():
            weights = chosen(name, products, losses, normalisation=key)
            np.testing.assert_allclose(weights, mgda(products / np.outer(divisors, divisors)), rtol=1e-6, atol=1e-9)
    halves = chosen(name, products, losses, normalisation="l2")
    assert cosine(products) < 1
    np.testing.assert_allclose(halves, [0.5, 0.5])


def test_stch_has_the_function_of_the_authors_code_for_networks() -> None:
    """Lin et al. 2024, their code: logarithms up to the end of the warm-up and its epoch of reference, then ratios."""
    method, step = cast(Any, weighting("stch", variant="networks", warmup=1, mu=0.5, preferences=PREFERENCES)), 1e-6
    means = []

    def value(losses: Numbers) -> float:
        if len(means) < 2:
            return float((2 * SHARES * np.log(losses)).sum())
        return float(2 * 0.5 * np.log(np.exp(2 * SHARES * np.log(losses / means[1]) / 0.5).sum()))

    for epoch in range(4):
        problems = [Problem(2 * epoch + number, (1.0, 3.0)) for number in range(2)]
        for problem in problems:
            losses = problem.losses().double().numpy()
            slopes = [(value(losses + d) - value(losses - d)) / (2 * step) for d in step * np.eye(2)]
            np.testing.assert_allclose(update(method, problem).weights.numpy(), slopes, rtol=1e-4)
        means.append(np.mean([problem.losses().double().numpy() for problem in problems], axis=0))
        method.end_epoch()
        state = through_file(method.state_dict())
        method = cast(Any, weighting("stch", variant="networks", warmup=1, mu=0.5, preferences=PREFERENCES))
        method.load_state_dict(state)


COSTLY = sorted(name for name in DEFAULTS if "every" in DEFAULTS[name])


def backward_passes(method: Weighting, problem: Problem, seed: int) -> tuple[Outcome, int]:
    """Return the outcome of an update, and the number of the trunk's backward passes in it."""
    passes: list[Tensor] = []
    handle = problem.trunk.register_hook(passes.append)
    outcome = update(method, problem, seed=seed)
    handle.remove()
    return outcome, len(passes)


@pytest.mark.parametrize("name", COSTLY)
def test_weights_are_computed_in_one_of_several_updates(name: str) -> None:
    method = weighting(name, every=3)
    computed: list[Tensor] = []
    for seed in range(7):
        outcome, passes = backward_passes(method, Problem(seed), seed)
        assert passes == (2 if seed % 3 == 0 else 1)
        computed.append(outcome.weights)
        torch.testing.assert_close(outcome.weights, computed[seed - seed % 3], rtol=0, atol=0)
        assert_follows(outcome, Problem(seed), torch.ones(2), **CLOSE)
    alike = torch.equal(computed[3], computed[0])
    assert not alike or name == "dualproj"  # the mean, as long as no gradient is against it


def test_reused_weights_wait_for_all_tasks_and_survive_overflow_and_resume() -> None:
    method, twin = weighting("upgrad", every=2), weighting("upgrad", every=2)
    absent = update(method, Problem(0, (1.0, 0.0)))
    assert absent.weights.tolist() == [1.0, 0.0]
    first, passes = backward_passes(method, Problem(1), 1)
    assert passes == 2
    twin.load_state_dict(through_file(method.state_dict()))
    before = method.state_dict()
    update(method, Problem(2), scale=lambda loss: torch.inf * loss)
    assert_same_state(method, before)
    reused = update(method, Problem(3, (1.0, 0.0)))
    torch.testing.assert_close(reused.weights, first.weights * torch.tensor([1.0, 0.0]), rtol=0, atol=0)
    assert_same(update(twin, Problem(3, (1.0, 0.0))), reused, **SAME_BYTES)
    assert backward_passes(method, Problem(4), 4)[1] == backward_passes(twin, Problem(4), 4)[1] == 2


@pytest.mark.parametrize("name", ["cr_mogm", "gradvac", "pcd"])
def test_reused_weights_stand_beside_the_state_of_a_method(name: str) -> None:
    method, twin = weighting(name, every=2), weighting(name, every=2)
    for seed in range(3):
        update(method, Problem(seed), seed=seed)
    twin.load_state_dict(through_file(method.state_dict()))
    for seed in range(3, 6):
        assert_same(update(twin, Problem(seed), seed=seed), update(method, Problem(seed), seed=seed), **SAME_BYTES)


def test_reused_weights_are_the_same_in_passes_and_processes() -> None:
    whole = weighting("cagrad", every=2)
    expected = [update(whole, Problem(seed)) for seed in range(3)]

    def work(rank: int, add_up: AddUp) -> list[Outcome]:
        method, outcomes = weighting("cagrad", every=2), []
        for seed in range(3):
            problem = Problem(seed)
            problem.samples = torch.arange(SAMPLES).chunk(2)[rank]
            outcomes.append(update(method, problem, parts=3, add_up=add_up))
        return outcomes

    for outcomes in run_processes(2, work):
        for outcome, reference in zip(outcomes, expected, strict=True):
            assert_same(outcome, reference, **CLOSE)
