"""Task weightings: how the tasks' losses become one update."""

from collections.abc import Callable

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.weighting.base import Step, Weighting
from mtlaerial.weighting.feature_normalisation import FeatureNormalisation
from mtlaerial.weighting.gradient_penalty import GradientPenalty
from mtlaerial.weighting.gradnorm import GradNorm
from mtlaerial.weighting.mgda import MGDA
from mtlaerial.weighting.scalarisation import Fixed

__all__ = ["Step", "Weighting", "build_weighting", "weighting_names"]

_REGISTRY: dict[str, Callable[[WeightingSpec, tuple[Task, ...]], Weighting]] = {
    "equal": lambda spec, tasks: Fixed(dict.fromkeys(tasks, 1.0)),
    "fixed": lambda spec, tasks: Fixed({task: spec.weights[task] for task in tasks}),
    "feature_normalisation": lambda spec, tasks: FeatureNormalisation(),
    "mgda": lambda spec, tasks: MGDA("parameters"),
    "mgda_ub": lambda spec, tasks: MGDA("features"),
    "gradnorm": lambda spec, tasks: GradNorm(len(tasks), spec.alpha, spec.learning_rate),
    "gradient_penalty": lambda spec, tasks: GradientPenalty(spec.strength),
}


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
