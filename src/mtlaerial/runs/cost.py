"""Costs of a training and of a prediction, measured while they ran: a file each."""

import json
from pathlib import Path
from typing import Any

from pydantic import NonNegativeFloat, PositiveFloat

from mtlaerial.config import Section
from mtlaerial.errors import DataError
from mtlaerial.system.files import write_text

PREDICTION_COST = "prediction_cost.json"
REMEDY = "Copy the run's folder anew from where it was trained, or train it again."


class Cost(Section):
    """Time and memory of a training: the content of ``cost.json``, which no repetition reproduces."""

    seconds_per_step: NonNegativeFloat
    peak_memory_mb: NonNegativeFloat
    device: str
    """Device that the training ran on; only costs on the same device can be compared."""


def save_cost(cost: Cost, path: Path) -> None:
    """Write ``cost.json``."""
    write_text(path, cost.model_dump_json(indent=1))


def load_cost(path: Path) -> Cost:
    """Read ``cost.json``.

    Raises
    ------
    ConfigError, DataError
        When the file is damaged, or does not have the keys of this version.
    """
    return Cost.parse(_read(path, "the cost of a training"), str(path))


class PredictionCost(Section):
    """Time and memory of a prediction: the content of ``prediction_cost.json``, which no repetition reproduces."""

    seconds: NonNegativeFloat
    """Of predicting, reading and writing."""
    mpixel: PositiveFloat
    """Millions of image pixels."""
    peak_memory_mb: NonNegativeFloat | None
    """Above the memory before the networks were loaded; None where the process had held more before."""
    device: str

    @property
    def seconds_per_mpixel(self) -> float:
        """Seconds for a million pixels."""
        return self.seconds / self.mpixel


def save_prediction_cost(cost: PredictionCost, path: Path) -> None:
    """Write ``prediction_cost.json``."""
    write_text(path, cost.model_dump_json(indent=1))


def load_prediction_cost(path: Path) -> PredictionCost:
    """Read ``prediction_cost.json``.

    Raises
    ------
    ConfigError, DataError
        When the file is damaged, or does not have the keys of this version.
    """
    return PredictionCost.parse(_read(path, "the cost of a prediction", "Predict again."), str(path))


def _read(path: Path, expected: str, remedy: str = REMEDY) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise DataError(path, "a damaged file", expected, remedy) from None
