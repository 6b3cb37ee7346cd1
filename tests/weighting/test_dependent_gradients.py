"""Nearly and exactly dependent gradients, compared with the papers' equations in 100 digits."""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import mpmath
import pytest
import torch
from mpmath import mp, mpf
from torch import Tensor

from mtlaerial.weighting import GramianWeighting
from support.weighting_problem import THREE, weighting

Vectors = list[list[mpf]]
ANGLES = [1.0, 1e-2, 1e-3, 3e-4, 1e-5, 1e-7]
LIMIT = mpf(10) ** -30
"""An angle that double precision takes for 0."""


@pytest.fixture(autouse=True)
def _digits() -> Any:
    with mp.workdps(100):
        yield


def plane(angle: mpf, ratio: float) -> Vectors:
    """Return two gradients at an angle, the first one of length 1."""
    return [[mpf(1), mpf(0)], [ratio * mp.cos(angle), ratio * mp.sin(angle)]]


def dot(first: Sequence[mpf], second: Sequence[mpf]) -> mpf:
    return mp.fdot(first, second)


def unit(vector: Sequence[mpf]) -> list[mpf]:
    return [value / mp.norm(vector) for value in vector]


def update_of(weights: Sequence[mpf], gradients: Vectors) -> list[mpf]:
    return [mp.fdot(weights, column) for column in zip(*gradients, strict=True)]


def imtl_g(gradients: Vectors, preferences: Sequence[float]) -> list[mpf]:
    """Liu et al. 2021, equation 5 and the weights' sum, as a linear system."""
    units = [unit(gradient) for gradient in gradients]
    differences = [[a - b for a, b in zip(units[0], other, strict=True)] for other in units[1:]]
    rows = [[dot(gradient, difference) for gradient in gradients] for difference in differences]
    system = mpmath.matrix([*rows, [1] * len(gradients)])
    return list(mp.lu_solve(system, mpmath.matrix([0] * len(rows) + [1])))


def config(gradients: Vectors, preferences: Sequence[float]) -> list[mpf]:
    """Liu et al. 2024, equation 2: the direction from the units' inverse, as long as the projections add up to."""
    units = mpmath.matrix([unit(gradient) for gradient in gradients])
    direction = unit(list(mp.lu_solve(units, mpmath.matrix(preferences))))
    size = mp.fsum(dot(gradient, direction) for gradient in gradients)
    return list(mp.lu_solve(mpmath.matrix(gradients).T, mpmath.matrix([size * value for value in direction])))


def aligned_mtl(gradients: Vectors, preferences: Sequence[float]) -> list[mpf]:
    """Senushkin et al. 2023, algorithm 1, of full rank; preferences add up to the number of tasks."""
    products = mpmath.matrix([[dot(a, b) for b in gradients] for a in gradients])
    squares, axes = mp.eigsy(products)
    stretch = mpmath.diag([mp.sqrt(min(squares) / square) for square in squares])
    shares = mpmath.matrix([len(preferences) * mpf(p) / sum(preferences) for p in preferences])
    return list(axes * stretch * axes.T * shares)


EQUATIONS: dict[str, Callable[[Vectors, Sequence[float]], list[mpf]]] = {
    "imtl_g": imtl_g,
    "config": config,
    "aligned_mtl": aligned_mtl,
}


def chosen(name: str, gradients: Vectors, dtype: torch.dtype = torch.float64, **options: Any) -> list[mpf]:
    """Return a method's weights for the inner products of gradients, rounded to a precision."""
    products = torch.tensor([[float(dot(a, b)) for b in gradients] for a in gradients], dtype=torch.float64)
    method = cast(GramianWeighting, weighting(name, THREE[: len(gradients)], **options))
    losses, active = torch.ones(len(products)), torch.ones(len(products), dtype=torch.bool)
    weights: Tensor = method.weights(products.to(dtype).double(), losses, active)
    return [mpf(weight) for weight in weights.tolist()]


def distance(first: Sequence[mpf], second: Sequence[mpf]) -> float:
    return float(mp.norm([a - b for a, b in zip(first, second, strict=True)]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["exact", "as measured"])
@pytest.mark.parametrize(
    ("name", "preferences"),
    [*((name, (1.0, 1.0)) for name in EQUATIONS), ("config", (2.0, 1.0)), ("aligned_mtl", (2.0, 1.0))],
)
def test_updates_are_those_of_the_equations_down_to_dependent_gradients(
    name: str, preferences: tuple[float, float], dtype: torch.dtype
) -> None:
    """In float32, as inner products are measured, rounding moves the update by less than a thousandth."""
    options = {} if name == "imtl_g" else {"preferences": dict(zip(THREE, preferences, strict=False))}
    tolerance = 1e-7 if dtype == torch.float64 else 1e-3
    for ratio in (1.0, 3.0, 0.01):
        for angle in (LIMIT, *ANGLES, *(mp.pi - mpf(angle) for angle in ANGLES), mp.pi - LIMIT):
            gradients = plane(mpf(angle), ratio)
            expected = update_of(EQUATIONS[name](gradients, preferences), gradients)
            update = update_of(chosen(name, gradients, dtype, **options), gradients)
            assert distance(update, expected) < tolerance * max(1.0, ratio), (ratio, float(angle))


def test_imtl_g_of_gradients_on_a_line() -> None:
    """Liu et al. 2021, equation 5: equal projections; the values are worked out by hand."""
    opposed, parallel = [[mpf(1), mpf(0)], [mpf(-2), mpf(0)]], [[mpf(1), mpf(0)], [mpf(3), mpf(0)]]
    assert [float(weight) for weight in chosen("imtl_g", opposed)] == pytest.approx([2 / 3, 1 / 3])
    assert float(update_of(chosen("imtl_g", parallel), parallel)[0]) == pytest.approx(1.5)


@pytest.mark.parametrize("name", ["imtl_g", "config"])
def test_three_gradients_in_a_plane_have_the_limit_of_three_that_leave_it(name: str) -> None:
    flat = [[mpf(1), mpf(0), mpf(0)], [mpf(0), mpf(2), mpf(0)], [mpf(-1), mpf(1), mpf(0)]]
    raised = [*flat[:2], [mpf(-1), mpf(1), mpf(10) ** -25]]
    expected = EQUATIONS[name](raised, [1, 1, 1])
    assert distance(chosen(name, flat), expected) < 1e-7


@pytest.mark.parametrize("name", ["imtl_g", "config"])
def test_two_parallel_gradients_beside_a_third_have_equal_projections(name: str) -> None:
    gradients = [[mpf(1), mpf(0), mpf(0)], [mpf(5), mpf(0), mpf(0)], [mpf(-1), mpf(1), mpf(0)]]
    for dtype in (torch.float64, torch.float32):
        update = update_of(chosen(name, gradients, dtype), gradients)
        projections = [float(dot(update, unit(gradient))) for gradient in gradients]
        assert projections == pytest.approx([projections[0]] * 3, rel=1e-6)
        assert math.hypot(*map(float, update)) > 0.1
