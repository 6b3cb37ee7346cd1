"""Weightings as parameters of tests: one of each kind in the quick tier, all of them in the full one."""

from collections.abc import Collection
from typing import Any

import pytest

from mtlaerial.config.weighting import REGISTRY

ONE_OF_EACH_KIND = {
    "equal",  # constant weights
    "uw",  # learned weights
    "famo",  # observes the losses after the update
    "gradient_penalty",  # second derivatives
    "gradnorm",  # the Gramian of gradients
    "mgda_ub",  # gradients of the features
    "upgrad",  # weights that TorchJD finds
    "graddrop",  # signs of the features' gradients
    "db_mtl",  # rows of gradients, and a state of them
    "modo",  # two batches
}
OPTIONS: dict[str, dict[str, Any]] = {"fixed": {"weights": {"semantics": 0.5, "height": 2.0}}}
"""Options without which a weighting is not complete."""


def every_weighting(among: Collection[str] | None = None, without: Collection[str] = ()) -> list[Any]:
    """Return the names of all weightings, or some, for ``parametrize``; one of each kind is in the quick tier."""
    names = sorted(set(REGISTRY.targets() if among is None else among) - set(without))
    return [_tiered(name) for name in names]


def _tiered(name: str) -> Any:
    marks = [] if name in ONE_OF_EACH_KIND else [pytest.mark.full("one of each kind is enough")]
    return pytest.param(name, marks=marks)
