"""Task weightings: they turn the tasks' losses into one update.

Authors of further weightings, in other packages too, extend one of the bases that are named here.
"""

from importlib import import_module

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.config.weighting import weighting_target
from mtlaerial.errors import ConfigError
from mtlaerial.weighting.base import Pass, Step, Weighting
from mtlaerial.weighting.gradient_weighting import GradientWeighting, GramianWeighting, TaskGradientWeighting
from mtlaerial.weighting.learned_weighting import LearnedLossWeighting
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.row_weighting import RowWeighting, TrackingWeighting
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting

REGISTERED_WRONGLY = "Correct the package that registers it."
"""Remedy for faults of weightings of other packages."""

__all__ = [
    "REGISTERED_WRONGLY",
    "GradientWeighting",
    "GramianWeighting",
    "LearnedLossWeighting",
    "LossWeighting",
    "Pass",
    "RowWeighting",
    "Step",
    "TaskGradientWeighting",
    "TorchJDWeighting",
    "TrackingWeighting",
    "Weighting",
    "build_weighting",
    "weighting_class",
]


def build_weighting(spec: WeightingSpec, tasks: tuple[Task, ...]) -> Weighting:
    """Build the weighting that a method names.

    Parameters
    ----------
    spec : WeightingSpec
        Its name and its options.
    tasks : tuple of Task
        The tasks that are learned.

    Raises
    ------
    ConfigError
        When an option is unknown or wrong, or a package that the method needs is not installed.
    """
    method = weighting_class(spec.name)
    return method(tasks, method.Options.parse(spec.options, f"weighting {spec.name}"))


def weighting_class(name: str) -> type[Weighting]:
    """Return the class of a weighting; it is imported only now.

    Raises
    ------
    ConfigError
        When there is no such class, or it is not a :class:`Weighting`.
    """
    target = weighting_target(name)
    module, _, attribute = target.partition(":")
    try:
        method = getattr(import_module(module), attribute)
    except Exception as error:  # anything may happen while another package is imported
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise _wrong(name, problem, f"a class at {target}") from None
    if not (isinstance(method, type) and issubclass(method, Weighting)):
        raise _wrong(name, target, "a subclass of mtlaerial.weighting.Weighting")
    return method


def _wrong(name: str, problem: str, expected: str) -> ConfigError:
    return ConfigError(f"weighting {name}", problem, expected, REGISTERED_WRONGLY)
