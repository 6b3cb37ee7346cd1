"""Task weightings: how the tasks' losses become one update."""

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.weighting.base import Weighting
from mtlaerial.weighting.fixed import Fixed

__all__ = ["Weighting", "build_weighting", "weighting_names"]


def _equal(spec: WeightingSpec, tasks: tuple[Task, ...]) -> Weighting:
    return Fixed(dict.fromkeys(tasks, 1.0))


def _fixed(spec: WeightingSpec, tasks: tuple[Task, ...]) -> Weighting:
    return Fixed({task: spec.weights[task] for task in tasks})


_REGISTRY = {"equal": _equal, "fixed": _fixed}


def weighting_names() -> tuple[str, ...]:
    """Return the names a method may use."""
    return tuple(_REGISTRY)


def build_weighting(spec: WeightingSpec, tasks: tuple[Task, ...]) -> Weighting:
    """Build the weighting that a method names.

    Parameters
    ----------
    spec : WeightingSpec
        Its name, and what it needs.
    tasks : tuple of Task
        The tasks that are learned.
    """
    return _REGISTRY[spec.name](spec, tasks)
