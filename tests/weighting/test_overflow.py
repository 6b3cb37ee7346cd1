"""Gradients that overflow show in the update of every weighting, and leave its state unharmed."""

from typing import Any

import pytest
import torch

from mtlaerial.config.weighting import WEIGHTINGS
from mtlaerial.weighting import Weighting
from support.trained_weightings import trained
from support.weighting_assertions import SAME_BYTES, all_gradients, assert_same, assert_same_state, note
from support.weighting_options import variants
from support.weighting_problem import Problem, update

every_weighting = pytest.mark.parametrize("name", WEIGHTINGS)

OVERFLOWS = {0: [("trunk", 1)], 2: [("trunk", 1), ("trunk", 2), ("height", 1), ("semantics", 2)]}
"""Parts of the network whose gradients overflow, and numbers of passes, after so many steps."""


@pytest.mark.quick_cases(12, "trains a network a case")
@every_weighting
def test_an_overflow_shows_and_leaves_the_state_unharmed(name: str) -> None:
    for options in variants(name):
        for wrong in (torch.inf, torch.nan):
            with note(**options, wrong=wrong):
                assert_unharmed(name, options, wrong)


@pytest.mark.quick_cases(12, "trains a network a case")
@every_weighting
def test_an_overflow_in_heads_or_trunk_alone_leaves_the_state_unharmed(name: str) -> None:
    for options in variants(name):
        for steps, cases in OVERFLOWS.items():
            method, undisturbed = (trained(name, options, steps) for _ in range(2))
            for part, parts in cases:
                with note(**options, steps=steps, part=part, parts=parts):
                    assert_overflows(method, part, parts)
                    assert_same_state(method, undisturbed.state_dict())
            with note(**options, steps=steps):
                assert_same(update(method, Problem(5), seed=5), update(undisturbed, Problem(5), seed=5), **SAME_BYTES)


def assert_overflows(method: Weighting, part: str, parts: int) -> None:
    """Update with gradients that overflow in one part of the network alone."""
    problem = Problem(7)
    parameter = problem.trunk if part == "trunk" else problem.heads[part]
    handle = parameter.register_hook(lambda gradient: torch.full_like(gradient, torch.inf))
    outcome = update(method, problem, parts)
    handle.remove()
    assert outcome.weights.isfinite().all()
    assert not all_gradients(outcome).isfinite().all()


def assert_unharmed(name: str, options: dict[str, Any], wrong: float) -> None:
    method, undisturbed = (trained(name, options, 2) for _ in range(2))
    state = undisturbed.state_dict()
    overflows = []
    # Gradients from the first on, and 32-bit floats exceeded on the way.
    for factor, size in ((wrong, 1.0), (1e30, 1e10)):
        problem = Problem(7, scales=(size, size))
        overflows.append(update(method, problem, scale=lambda loss, factor=factor: factor * loss))
        assert_same_state(method, state)
    overflows.append(update(method, Problem(7, scales=(wrong, wrong))))
    if method.looks_again:
        method.observe(torch.tensor([wrong, 1.0]))
    for overflow in overflows:
        assert overflow.weights.isfinite().all()
        assert not overflow.trunk.isfinite().all()
    assert_same_state(method, state)
    assert_same(update(method, Problem(5), seed=5), update(undisturbed, Problem(5), seed=5), **SAME_BYTES)
