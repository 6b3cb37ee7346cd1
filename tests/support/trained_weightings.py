"""Weightings after some steps."""

from typing import Any

from mtlaerial.weighting import Weighting
from support.weighting_problem import Problem, train, weighting


def trained(name: str, options: dict[str, Any], steps: int, first: int = 0) -> Weighting:
    """Return a weighting after some steps, whose problems are counted from the first."""
    method = weighting(name, **options)
    for seed in range(first, first + steps):
        train(method, Problem(seed), seed)
    return method
