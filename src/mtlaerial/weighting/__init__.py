"""Task weightings: they turn the tasks' losses into one update.

Authors of further weightings, in other packages too, extend one of the bases that are named here.
"""

from mtlaerial.config import Task, WeightingSpec
from mtlaerial.config.weighting import REGISTRY
from mtlaerial.weighting.base import Pass, Step, Weighting
from mtlaerial.weighting.gradient_weighting import GradientWeighting, TaskGradientWeighting
from mtlaerial.weighting.gramian_weighting import GramianWeighting
from mtlaerial.weighting.learned_weighting import LearnedLossWeighting
from mtlaerial.weighting.loss_weighting import LossWeighting
from mtlaerial.weighting.row_weighting import RowWeighting, TrackingWeighting
from mtlaerial.weighting.torchjd_weighting import TorchJDWeighting
from mtlaerial.weighting.weight_reuse import CostlyOptions

__all__ = [
    "CostlyOptions",
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
    method = REGISTRY.load(name)
    if not (isinstance(method, type) and issubclass(method, Weighting)):
        target, expected = REGISTRY.target(name), "a subclass of mtlaerial.weighting.Weighting"
        raise REGISTRY.registered_wrongly(name, target, expected)
    return method
