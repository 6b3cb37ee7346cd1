"""Plans of runs: all that decides a training besides its tiles, and its fingerprint."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlaerial.config import ModelSpec, Section, Task, TrainingSpec, WeightingSpec
from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.stages import Stage
from mtlaerial.tiles.statistics import Statistics

if TYPE_CHECKING:
    pass


class RunPlan(Section):
    """All that decides a training, besides its tiles."""

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


def code_hash() -> str:
    """Return a short hash of the package's modules."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain data, the same in every process."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
