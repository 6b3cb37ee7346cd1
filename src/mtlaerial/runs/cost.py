"""Cost of a training, measured while it ran: one file per run."""

import json
from pathlib import Path

from pydantic import NonNegativeFloat

from mtlaerial.config import Section
from mtlaerial.system.files import writing


class Cost(Section):
    """Time and memory of a training: the content of ``cost.json``, which no repetition reproduces."""

    seconds_per_step: NonNegativeFloat
    peak_memory_mb: NonNegativeFloat
    device: str
    """Device that the training ran on; only costs on the same device can be compared."""


def save_cost(cost: Cost, path: Path) -> None:
    """Write ``cost.json``."""
    with writing(path) as partial:
        partial.write_text(cost.model_dump_json(indent=1), encoding="utf-8")


def load_cost(path: Path) -> Cost:
    """Read ``cost.json``.

    Raises
    ------
    ConfigError
        When the file does not have the keys of this version.
    """
    return Cost.parse(json.loads(path.read_text(encoding="utf-8")), str(path))
