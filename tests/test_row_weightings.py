"""Weightings that remember other batches, and GradDrop: each against its paper's equations, and what it promises."""

import io
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

import tiny
from mtlaerial.config import Task, WeightingSpec
from mtlaerial.errors import ConfigError
from mtlaerial.models import build_model
from mtlaerial.weighting import Pass, Step, Weighting, build_weighting
from mtlaerial.weighting.methods.double_sampling import MoDo, SDMGrad
from mtlaerial.weighting.methods.moco import project
from mtlaerial.weighting.row_weighting import rows
from problem import TASKS, Problem, update, weighting
from references_rows import REFERENCES

LEVELS = ["parameters", "features"]
TRACKING = ["db_mtl", "moco"]
DOUBLE = ["modo", "sdmgrad"]
REMEMBERING = ["excess_mtl", *TRACKING, *DOUBLE]
EACH = [(name, level) for name in REFERENCES for level in LEVELS]
SCALES = [(1.0, 3.0), (1.0, 0.05), (20.0, 1.0), (1.0, 1.0)]


def problems(number: int = 4) -> list[Problem]:
    return [Problem(seed, SCALES[seed % len(SCALES)]) for seed in range(number)]


def seeded_update(method: Weighting, problem: Problem, seed: int, parts: int = 1, **changes: Any) -> Tensor:
    torch.manual_seed(seed)
    return update(method, problem, parts, **changes)


def of_three(name: str, **options: Any) -> Any:
    """Return a weighting of three tasks."""
    tasks = cast(tuple[Task, ...], ("one", "two", "three"))
    return build_weighting(WeightingSpec.parse({"name": name, **options}, "weighting"), tasks)


def random_rows(seed: int, values: int = 7) -> Tensor:
    return torch.randn(3, values, generator=torch.Generator().manual_seed(seed))


def decided(method: Any, gradients: Tensor, losses: Tensor | None = None) -> Tensor:
    """Return the weights for given rows, or of those that sample doubly for a table of them with the next ones."""
    if method.batches == 3:
        return cast(Tensor, method._method(method.scaled((gradients @ gradients.roll(1, dims=1).T).double())))
    losses = torch.ones(len(gradients)) if losses is None else losses
    return cast(Tensor, method.decide(gradients.clone(), losses, 1.0))


def equal(one: Any, other: Any) -> bool:
    """Tell whether two states are the same bit by bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, Tensor) else bool(one == other)


@pytest.mark.parametrize(("name", "level"), EACH)
def test_successive_updates_follow_the_paper(name: str, level: str) -> None:
    method, reference = weighting(name, level=level), cast(Callable[..., list[Tensor]], REFERENCES[name])
    for seed, (problem, expected) in enumerate(zip(problems(), reference(problems(), level), strict=True)):
        seeded_update(method, problem, seed)
        torch.testing.assert_close(problem.trunk.grad, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REFERENCES)
def test_the_default_level_is_the_published_one(name: str) -> None:
    assert cast(Any, weighting(name)).level == ("features" if name == "graddrop" else "parameters")


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
    method, reference = weighting(name, **options), cast(Callable[..., list[Tensor]], REFERENCES[name])
    plain = REFERENCES[name](problems())
    for seed, (problem, expected) in enumerate(zip(problems(), reference(problems(), **arguments), strict=True)):
        seeded_update(method, problem, seed)
        torch.testing.assert_close(problem.trunk.grad, expected, rtol=1e-4, atol=1e-5)
    assert (expected - plain[-1]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("excess_mtl", {"step_size": 0}),
        ("excess_mtl", {"warmup": 0}),
        ("db_mtl", {"beta": 1}),
        ("db_mtl", {"decay": -1}),
        ("moco", {"beta": 0}),
        ("moco", {"gamma": 0}),
        ("modo", {"rho": -0.1}),
        ("sdmgrad", {"momentum": 1}),
        ("sdmgrad", {"iterations": 0}),
        ("graddrop", {"leak": 1.1}),
        ("graddrop", {"level": "losses"}),
    ],
)
def test_options_out_of_bounds_are_told(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"weighting {name}, key {next(iter(options))}"):
        weighting(name, **options)


def test_rows_of_features_are_the_gradients_of_constants_added_to_channels() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 8, 10)
    added = [torch.zeros(f.shape[1], requires_grad=True) for f in features]
    moved = [f + a[:, None, None] for f, a in zip(features, added, strict=True)]
    losses = [sum((f**power).sum() for f in moved) for power in (2, 3)]
    gradients = [torch.autograd.grad(loss, moved, retain_graph=True) for loss in losses]
    expected = [torch.cat(torch.autograd.grad(loss, added, retain_graph=True)) for loss in losses]
    torch.testing.assert_close(rows(gradients, "features"), torch.stack(expected))
    half = rows([tuple(g.half() * 100 for g in task) for task in gradients], "features")
    torch.testing.assert_close(half, 100 * torch.stack(expected), rtol=1e-2, atol=1.0)  # sums beyond half precision


def test_heads_follow_what_was_published() -> None:
    for name in REFERENCES:
        problem, method = Problem(3), weighting(name)
        update(method, problem)
        found = update(method, problem)
        if name == "excess_mtl":
            factors = found.tolist()
        elif name == "db_mtl":
            factors = (1 / problem.losses()).tolist()
        else:
            factors = [1.0, 1.0]
        for task, factor in zip(TASKS, factors, strict=True):
            expected = factor * problem.head_gradient(task, method.batches - 1)
            torch.testing.assert_close(problem.heads[task].grad, expected)


@pytest.mark.parametrize(("name", "level"), EACH)
@pytest.mark.parametrize("parts", [2, 3])
def test_accumulated_gradients_give_the_update_of_the_whole_batch(name: str, level: str, parts: int) -> None:
    whole, accumulated = weighting(name, level=level), weighting(name, level=level)
    for seed in range(3):
        one, other = Problem(seed), Problem(seed)
        expected = seeded_update(whole, one, seed)
        torch.testing.assert_close(seeded_update(accumulated, other, seed, parts), expected)
        torch.testing.assert_close(other.trunk.grad, one.trunk.grad)
        for task in TASKS:
            torch.testing.assert_close(other.heads[task].grad, one.heads[task].grad)


@pytest.mark.parametrize(("name", "level"), EACH)
def test_scaling_for_half_precision_scales_gradients_alone(name: str, level: str) -> None:
    plain, scaled = weighting(name, level=level), weighting(name, level=level)
    for seed in range(3):
        one, other = Problem(seed), Problem(seed)
        expected = seeded_update(plain, one, seed)
        torch.testing.assert_close(seeded_update(scaled, other, seed, scale=lambda loss: 1024 * loss), expected)
        assert one.trunk.grad is not None
        torch.testing.assert_close(other.trunk.grad, 1024 * one.trunk.grad)
        for task in TASKS:
            torch.testing.assert_close(other.heads[task].grad, 1024 * cast(Tensor, one.heads[task].grad))
    assert equal(plain.state_dict(), scaled.state_dict())


@pytest.mark.parametrize(("name", "level"), EACH)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_kept_state_goes_on_with_the_same_numbers(name: str, level: str, before: int) -> None:
    whole, broken, restored = (weighting(name, level=level) for _ in range(3))
    for seed in range(before):
        seeded_update(whole, Problem(seed), seed)
        seeded_update(broken, Problem(seed), seed)
    stored = io.BytesIO()
    torch.save(broken.state_dict(), stored)
    stored.seek(0)
    seeded_update(restored, Problem(9), 9)  # what it knew is forgotten
    restored.load_state_dict(torch.load(stored, weights_only=True))
    for seed in range(before, before + 3):
        one, other = Problem(seed), Problem(seed)
        assert torch.equal(seeded_update(whole, one, seed), seeded_update(restored, other, seed))
        assert torch.equal(cast(Tensor, one.trunk.grad), cast(Tensor, other.trunk.grad))


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_kept_state_does_not_change_afterwards(name: str) -> None:
    method, other = weighting(name), weighting(name)
    update(method, Problem(0))
    state = method.state_dict()
    expected = update(method, Problem(1))
    other.load_state_dict(state)
    torch.testing.assert_close(update(other, Problem(1)), expected, rtol=0, atol=0)
    other.load_state_dict(state)  # nor by what was restored from it
    torch.testing.assert_close(update(other, Problem(1)), expected, rtol=0, atol=0)


@pytest.mark.parametrize(("name", "level"), EACH)
@pytest.mark.parametrize("before", [0, 2])
def test_an_absent_task_has_no_weight_and_moves_nothing(name: str, level: str, before: int) -> None:
    with_gap, without = weighting(name, level=level), weighting(name, level=level)
    for seed in range(before):
        seeded_update(with_gap, Problem(seed), seed)
        seeded_update(without, Problem(seed), seed)
    problem = Problem(4, (0.0, 1.0))
    found = seeded_update(with_gap, problem, 4)
    assert problem.trunk.grad is not None
    assert found[0] == 0
    assert found[1] >= 0
    assert problem.trunk.grad.isfinite().all()
    if name not in TRACKING or level == "features":
        expected = found[1] * problem.gradients("parameters", with_gap.batches - 1)[1]
        torch.testing.assert_close(problem.trunk.grad, expected)
    if name not in TRACKING:
        assert equal(with_gap.state_dict(), without.state_dict())
    elif before:
        one, other = with_gap.state_dict(), without.state_dict()
        assert torch.equal(one["average"][0], other["average"][0])
        assert not torch.equal(one["average"][1], other["average"][1])
    for seed in (5, 6):  # nor is what follows disturbed
        assert seeded_update(with_gap, Problem(seed), seed).isfinite().all()


@pytest.mark.parametrize(("name", "level"), EACH)
def test_without_any_truth_nothing_moves(name: str, level: str) -> None:
    method, problem = weighting(name, level=level), Problem(4, (0.0, 0.0))
    update(method, Problem(0))
    state = method.state_dict()
    assert not update(method, problem).any()
    assert problem.trunk.grad is not None
    assert not problem.trunk.grad.any()
    assert equal(method.state_dict(), state)


@pytest.mark.parametrize(("name", "level"), EACH)
def test_an_overflow_shows_in_the_gradients_and_leaves_the_state(name: str, level: str) -> None:
    method, problem = weighting(name, level=level), Problem(1)
    update(method, Problem(0))
    state = method.state_dict()
    assert update(method, problem, scale=lambda loss: torch.inf * loss).isfinite().all()
    assert problem.trunk.grad is not None
    assert not problem.trunk.grad.isfinite().all()
    assert equal(method.state_dict(), state)


@pytest.mark.parametrize("name", DOUBLE)
def test_an_overflow_before_the_update_leaves_the_weights(name: str) -> None:
    method, problem, other = weighting(name), Problem(1), Problem(1)
    expected = update(method, Problem(0))
    problem.image[0] = torch.inf
    torch.testing.assert_close(update(method, problem), expected, rtol=0, atol=0)
    torch.testing.assert_close(
        problem.trunk.grad,
        (expected[0] * other.gradients("parameters", 2)[0] + expected[1] * other.gradients("parameters", 2)[1]),
    )


class Unlike(Problem):
    """Both tasks pull along one line: the second with a multiple of the first one's gradients, or against it."""

    def __init__(self, seed: int, times: float) -> None:
        super().__init__(seed, (1.0, abs(times)))
        self.heads["height"].data = self.heads["semantics"].data.clone()
        outputs = torch.tanh(self.image @ self.trunk.detach().T) @ self.heads["semantics"].detach()
        truth = self.truth["semantics"]
        self.truth["height"] = truth if times > 0 else 2 * outputs - truth


@pytest.mark.parametrize(("name", "level"), EACH)
@pytest.mark.parametrize("make", [
    lambda seed: Problem(seed, (1.0, 1e6)),
    lambda seed: Problem(seed, (1e6, 1.0)),
    lambda seed: Problem(seed, (1e-6, 1e-12)),
    lambda seed: Problem(seed, (1.0, 1e6 if seed == 3 else 1.0)),
    lambda seed: Unlike(seed, 1.0),
    lambda seed: Unlike(seed, 1e6),
    lambda seed: Unlike(seed, -1.0),
    lambda seed: Unlike(seed, -1e-6),
])  # fmt: skip
def test_nothing_is_lost_to_extreme_gradients(name: str, level: str, make: Callable[[int], Problem]) -> None:
    method = weighting(name, level=level)
    for seed in range(6):
        problem = make(seed)
        found = seeded_update(method, problem, seed)
        assert found.isfinite().all()
        assert cast(Tensor, problem.trunk.grad).isfinite().all()
        if name in ("excess_mtl", "moco", *DOUBLE):
            torch.testing.assert_close(float(found.sum()), 1.0, rtol=0, atol=1e-5)
    for values in method.state_dict().values():
        assert not isinstance(values, Tensor) or values.isfinite().all()


@pytest.mark.parametrize("name", REMEMBERING)
@pytest.mark.parametrize("seed", range(20))
def test_weights_do_not_depend_on_the_order_of_the_tasks(name: str, seed: int) -> None:
    order, losses = torch.tensor([2, 0, 1]), torch.tensor([1.0, 5.0, 0.2])
    method, other = of_three(name), of_three(name)
    for number in range(3):
        gradients = random_rows(3 * seed + number)
        expected = decided(method, gradients, losses)[order]
        torch.testing.assert_close(decided(other, gradients[order], losses[order]), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_excess_risks_do_not_depend_on_the_scale_of_any_loss(seed: int) -> None:
    method, other = of_three("excess_mtl", step_size=1.0), of_three("excess_mtl", step_size=1.0)
    scales = torch.tensor([1e-6, 1.0, 1e4])[:, None]
    for number in range(3):
        gradients = random_rows(3 * seed + number)
        expected = decided(method, gradients)
        torch.testing.assert_close(decided(other, scales * gradients), expected, rtol=1e-4, atol=1e-5)
    assert expected.max() > 0.34


@pytest.mark.parametrize("seed", range(20))
def test_the_weights_of_sdmgrad_do_not_depend_on_the_scale_of_all_gradients(seed: int) -> None:
    table = random_rows(seed, 3).double()
    for scale in (1e-12, 1e8):
        one, other = of_three("sdmgrad"), of_three("sdmgrad")
        expected = one._method(one.scaled(table))
        torch.testing.assert_close(other._method(other.scaled(scale * table)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("level", LEVELS)
def test_the_update_of_db_mtl_does_not_depend_on_the_scale_of_any_loss(seed: int, level: str) -> None:
    one, other = weighting("db_mtl", level=level), weighting("db_mtl", level=level)
    for number in range(3):
        plain, scaled = Problem(3 * seed + number, (1.0, 3.0)), Problem(3 * seed + number, (1e3, 0.01))
        update(one, plain)
        update(other, scaled)
        torch.testing.assert_close(scaled.trunk.grad, plain.trunk.grad, rtol=1e-4, atol=1e-5)
        for task in TASKS:
            torch.testing.assert_close(scaled.heads[task].grad, plain.heads[task].grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_moco_tends_to_the_least_norm_along_which_no_loss_rises(seed: int) -> None:
    method, gradients = of_three("moco", rho=0.0, gamma=0.05), random_rows(seed)
    for _ in range(2000):
        found = decided(method, gradients)
    products = gradients.double() @ gradients.double().T
    along = products @ found
    assert along.min() >= found @ along - 1e-3  # the optimality of Désidéri: none gains less than the norm squared


@pytest.mark.parametrize("seed", range(5))
def test_modo_tends_to_the_same_if_batches_are_alike(seed: int) -> None:
    method: MoDo = of_three("modo", rho=0.0, gamma=0.05)
    products = random_rows(seed).double()
    products = products @ products.T
    for _ in range(2000):
        found = method._method(method.scaled(products))
    along = products @ found
    assert along.min() >= found @ along - 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_sdmgrad_solves_its_problem_if_batches_are_alike(seed: int) -> None:
    method: SDMGrad = of_three("sdmgrad", learning_rate=0.1, iterations=2000)
    products = random_rows(seed).double()
    products = products @ products.T
    found = 1.3 * method._method(method.scaled(products)) - 0.1  # w
    slope = products @ (found + 0.1)
    assert found.min() >= -1e-9
    assert slope.min() >= found @ slope - 1e-3  # no other convex combination is shorter


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_point_of_the_simplex(seed: int) -> None:
    point = 2 * random_rows(seed)[0].double()
    found = project(point)
    torch.testing.assert_close(found, project(point + 1e12), rtol=0, atol=1e-3)
    others = torch.distributions.Dirichlet(torch.ones(7).double()).sample((500,))
    assert found.min() >= 0
    torch.testing.assert_close(float(found.sum()), 1.0)
    assert ((others - found) @ (point - found)).max() < 1e-9  # the angle to every other point is blunt


def test_what_graddrop_tells_is_the_nearest_combination() -> None:
    for seed in range(5):
        problem = Problem(seed)
        found = seeded_update(weighting("graddrop", level="parameters"), problem, seed)
        gradients = np.stack([gradient.numpy().ravel() for gradient in problem.gradients("parameters")])
        expected = np.linalg.lstsq(gradients.T, cast(Tensor, problem.trunk.grad).numpy().ravel(), rcond=None)[0]
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_graddrop_keeps_on_average_each_sign_with_its_share() -> None:
    method = weighting("graddrop", level="parameters")
    total, number = torch.zeros(4, 3).double(), 500
    problem = Problem(2)
    for seed in range(number):
        seeded_update(method, problem, seed)
        total += cast(Tensor, problem.trunk.grad)
    gradients = torch.stack(problem.gradients("parameters"))
    positive, negative = gradients.clamp(min=0).sum(dim=0), gradients.clamp(max=0).sum(dim=0)
    share = positive / (positive - negative)
    spread = (positive - negative) * (share * (1 - share) / number).sqrt()
    assert ((total / number - share * positive - (1 - share) * negative).abs() <= 4 * spread + 1e-5).all()


def test_graddrop_scales_with_the_gradients_and_leaks_to_the_plain_sum() -> None:
    one, other = Problem(1, (1.0, 3.0)), Problem(1, (1e-6, 3e-6))
    seeded_update(weighting("graddrop"), one, 1)
    seeded_update(weighting("graddrop"), other, 1)
    torch.testing.assert_close(1e6 * cast(Tensor, other.trunk.grad), one.trunk.grad)
    found = seeded_update(weighting("graddrop", leak=1.0), one, 1)
    torch.testing.assert_close(found, torch.ones(2))
    torch.testing.assert_close(one.trunk.grad, sum(one.gradients("parameters")))


@pytest.mark.parametrize("name", REMEMBERING)
def test_in_the_network_features_of_all_scales_are_weighted(name: str) -> None:
    torch.manual_seed(0)
    network = build_model(tiny.model_spec(dropout=0.0), 3, {"semantics": 4, "height": 1}).eval()
    trunk = list(network.trunk.parameters())
    images = torch.randn(3, 2, 3, 32, 32)

    def forward(batch: int, cuts: bool = True) -> Pass:
        features = network.features(images[batch])
        seen = tuple(f.detach().requires_grad_() for f in features) if cuts else features
        losses: dict[Task, Tensor] = {task: (output**2).mean() for task, output in network.outputs(seen).items()}
        return Pass(losses, features, seen, images[batch])

    heads = {task: list(network.heads[task].parameters()) for task in TASKS}
    method = weighting(name, level="features")
    weights = method.backward(Step(trunk, heads, lambda batch: iter([forward(batch)]))).tolist()
    followed = method.batches - 1
    alone = [torch.autograd.grad(forward(followed, cuts=False).losses[task], trunk) for task in TASKS]
    for parameter, one, other in zip(trunk, *alone, strict=True):
        torch.testing.assert_close(parameter.grad, weights[0] * one + weights[1] * other, rtol=1e-3, atol=1e-6)
