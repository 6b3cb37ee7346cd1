"""Predictors: the ways from trained networks to maps, their names in tables, and what each needs of the networks."""

from collections.abc import Sequence
from typing import NamedTuple

from mtlaerial.config.height_head import HEADS_WITH_SCALE, HeightHead, head_name
from mtlaerial.config.prediction import PredictionSpec
from mtlaerial.config.tasks import Task, task_entry
from mtlaerial.errors import ConfigError


class Learner(NamedTuple):
    """A network of a predictor: a name for messages, the tasks that it learns, and its height head."""

    name: str
    tasks: Sequence[Task]
    head: HeightHead


def predictor_name(prediction: PredictionSpec, networks: int) -> str:
    """Return the name of a predictor in tables.

    Parameters
    ----------
    prediction : PredictionSpec
    networks : int
        Networks that predict together.

    Examples
    --------
    >>> predictor_name(PredictionSpec(dropout_passes=30, spread=("samples", "overlap")), 1)
    'dropout + overlap'
    >>> predictor_name(PredictionSpec(), 1), predictor_name(PredictionSpec(), 3)
    ('single', 'ensemble')
    """
    sources = prediction.spread_sources
    parts = {
        "dropout": prediction.dropout_passes > 0,
        "tta": bool(prediction.views),
        "ensemble": networks > 1,
        "overlap": "overlap" in sources,
        "head": "head" in sources,
    }
    return " + ".join(name for name, present in parts.items() if present) or "single"


def require_predictor(prefix: str, prediction: PredictionSpec, networks: Sequence[Learner]) -> None:
    """Refuse a spread and layers that networks cannot serve.

    Parameters
    ----------
    prefix : str
        Of the keys in messages, e.g. ``prediction.``.
    prediction : PredictionSpec
    networks : sequence of Learner
        Those that predict together.

    Raises
    ------
    ConfigError
        For samples of a task that has a single one, and for the head of a network whose heights have no distribution.
    """
    tasks = dict.fromkeys(task for network in networks for task in network.tasks)
    for task in tasks:
        entry = task_entry(task)
        learners = [network for network in networks if task in network.tasks]
        single = prediction.samples * len(learners) == 1
        if entry.output == "classes" and single and "mutual_information" in prediction.layers:
            raise _single(f"{prefix}layers", "mutual_information", task)
        if entry.deviation is None:
            continue
        if single and "samples" in prediction.spread_sources:
            raise _single(f"{prefix}spread", "samples", task)
        if "head" in prediction.spread_sources:
            _require_scale(f"{prefix}spread", learners)


def _single(key: str, name: str, task: Task) -> ConfigError:
    expected = "several: passes with dropout, views, or several networks that learn it"
    return ConfigError(key, f"{name}, and a single sample of {task}", expected, f"Add some, or remove {name}.")


def _require_scale(key: str, learners: Sequence[Learner]) -> None:
    for learner in learners:
        name = head_name(learner.head)
        if name not in HEADS_WITH_SCALE:
            expected = f"one with a scale: {' or '.join(HEADS_WITH_SCALE)}"
            raise ConfigError(
                key, f"head, and the height head {name} of {learner.name}", expected, "Train with one, or remove head."
            )
