"""What a training cost, as it measured it itself: one file per run."""

import json
from pathlib import Path

from pydantic import NonNegativeFloat

from mtlaerial.config import Section
from mtlaerial.system.files import writing


class Cost(Section):
    """Time and memory of a training: the content of ``cost.json``. No two trainings measure the same."""

    seconds_per_step: NonNegativeFloat
    peak_memory_mb: NonNegativeFloat
    device: str
    """What it ran on; only costs on the same can be compared."""


def save_cost(cost: Cost, path: Path) -> None:
    """Write ``cost.json``."""
    with writing(path) as partial:
        partial.write_text(cost.model_dump_json(indent=1), encoding="utf-8")


def load_cost(path: Path) -> Cost:
    """Read ``cost.json``.

    Raises
    ------
    ConfigError
        When it is not as this version writes it.
    """
    return Cost.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
