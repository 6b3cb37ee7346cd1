"""Semantics and height from one aerial image, by multi-task learning.

The names below are the public interface; docs/python.md shows them at work. Modules may move, these names stay.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mtlaerial.version import __version__

# Before GDAL and pyproj start: no transform may depend on grids that PROJ would fetch, whatever the environment says.
os.environ["PROJ_NETWORK"] = "OFF"

if TYPE_CHECKING:
    from mtlaerial.datasets.catalog import Dataset
    from mtlaerial.datasets.check import check_dataset
    from mtlaerial.errors import UserError
    from mtlaerial.pipeline.plan_run import plan_run
    from mtlaerial.pipeline.score_runs import score_runs
    from mtlaerial.prediction.predictor import Predictor
    from mtlaerial.runs.loading import load_run
    from mtlaerial.runs.run import save_description
    from mtlaerial.scoring.run_scores import score_run
    from mtlaerial.tiles.measure import summarise
    from mtlaerial.tiles.prepare import prepare_tile
    from mtlaerial.tiles.statistics import Statistics
    from mtlaerial.training.job import TrainingJob
    from mtlaerial.training.train import train

__all__ = [
    "Dataset",
    "Predictor",
    "Statistics",
    "TrainingJob",
    "UserError",
    "__version__",
    "check_dataset",
    "load_run",
    "plan_run",
    "prepare_tile",
    "save_description",
    "score_run",
    "score_runs",
    "summarise",
    "train",
]
_MODULES = {
    "Dataset": "mtlaerial.datasets.catalog",
    "Predictor": "mtlaerial.prediction.predictor",
    "Statistics": "mtlaerial.tiles.statistics",
    "TrainingJob": "mtlaerial.training.job",
    "UserError": "mtlaerial.errors",
    "check_dataset": "mtlaerial.datasets.check",
    "load_run": "mtlaerial.runs.loading",
    "plan_run": "mtlaerial.pipeline.plan_run",
    "prepare_tile": "mtlaerial.tiles.prepare",
    "save_description": "mtlaerial.runs.run",
    "score_run": "mtlaerial.scoring.run_scores",
    "score_runs": "mtlaerial.pipeline.score_runs",
    "summarise": "mtlaerial.tiles.measure",
    "train": "mtlaerial.training.train",
}
"""The module of each public name, imported when the name is used: torch alone takes seconds."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
