"""Requirements between sections of the configuration: sizes, overlaps, dropout, tasks."""

from mtlaerial.config.dataset import DatasetSpec
from mtlaerial.config.model import NetworkSpec
from mtlaerial.config.recipe import PredictionSpec
from mtlaerial.config.tasks import Task
from mtlaerial.errors import ConfigError


def require_multiple(key: str, size: int, model: NetworkSpec) -> None:
    """Refuse a size in pixels that does not fit a network.

    Raises
    ------
    ConfigError
        When it is not a multiple of the model's.
    """
    if size % model.multiple:
        expected = f"a multiple of {model.multiple}, as the model's reduction is {model.reduction}"
        raise ConfigError(key, str(size), expected, "Correct either.")


def require_dropout(key: str, passes: int, model: NetworkSpec) -> None:
    """Refuse dropout passes for a network without dropout: all passes would be equal.

    Raises
    ------
    ConfigError
        When there are passes but no dropout.
    """
    if passes and not model.dropout:
        expected = "0, as the model's dropout is 0"
        raise ConfigError(key, str(passes), expected, "Or train a network with dropout, e.g. 0.5.")


def require_overlap(key: str, prediction: PredictionSpec) -> None:
    """Refuse windows with gaps between them.

    Raises
    ------
    ConfigError
        When the stride is larger than the window.
    """
    if prediction.stride > prediction.window:
        expected = f"a stride of at most the window ({prediction.window})"
        raise ConfigError(key, f"the stride {prediction.stride}", expected, "Correct either.")


def require_tasks(method: str, tasks: tuple[Task, ...], spec: DatasetSpec, dataset: str) -> tuple[Task, ...]:
    """Return the tasks of a method that a data set has ground truth for.

    Raises
    ------
    ConfigError
        When it has none for any of them.
    """
    learned = tuple(filter(spec.has_truth, tasks))
    if not learned:
        raise ConfigError(
            f"methods.{method}.tasks",
            f"{', '.join(tasks)}",
            f"a task that {dataset} has layers for ({', '.join(spec.tasks)})",
            "Choose a method that learns one of these.",
        )
    return learned
