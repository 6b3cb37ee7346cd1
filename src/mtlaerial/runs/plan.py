"""Plan of a run: the settings that decide a training, and fingerprints of plain data."""

import hashlib
import json
from typing import Any

from mtlaerial.config import ModelSpec, Section, Task, TrainingSpec, WeightingSpec
from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.stages import Stage
from mtlaerial.tiles.statistics import Statistics


class RunPlan(Section):
    """Everything that decides a training, except its tiles."""

    dataset: str
    method: str
    seed: int
    tasks: tuple[Task, ...]
    weighting: WeightingSpec
    model: ModelSpec
    training: TrainingSpec

    def decisive(self, stage: Stage = "train") -> dict[str, Any]:
        """Return the keys that decide a stage; those of ``train`` decide the weights."""
        model = decisive(stage, self.model, "models.*")
        return {**self.model_dump(mode="json"), "model": model, "training": decisive(stage, self.training, "training")}


def task_outputs(tasks: tuple[Task, ...], statistics: Statistics) -> dict[Task, int]:
    """Return the channels of each task's output: one per class, or one for height."""
    channels: dict[Task, int] = {"semantics": len(statistics.classes), "height": 1}
    return {task: channels[task] for task in tasks}


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain data, the same in every process."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
