"""Cost of a training, measured while it ran: one file per run."""

import json
from pathlib import Path

from pydantic import NonNegativeFloat

from mtlaerial.config import Section
from mtlaerial.errors import DataError
from mtlaerial.system.files import write_text


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
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        remedy = "Copy the run's folder anew from where it was trained, or train it again."
        raise DataError(path, "a damaged file", "the cost of a training", remedy) from None
    return Cost.parse(data, str(path))
