"""Plan of a run: its settings, and fingerprints of plain data."""

import hashlib
import json
from typing import Any

from pydantic import model_validator

from mtlaerial.config import ModelSpec, PredictionSpec, Section, Task, TrainingSpec, WeightingSpec, task_entry
from mtlaerial.config.decisive_keys import decisive
from mtlaerial.config.height_head import BinsSpec, height_channels, height_of_bins_moved
from mtlaerial.config.stages import Stage
from mtlaerial.config.task_entry import Output
from mtlaerial.tiles.statistics import Statistics


class RunPlan(Section):
    """Everything that decides a training, except its tiles; and the prediction by which the run is scored."""

    dataset: str
    method: str
    seed: int
    tasks: tuple[Task, ...]
    weighting: WeightingSpec
    model: ModelSpec
    training: TrainingSpec
    prediction: PredictionSpec = PredictionSpec()
    """Windows and their blending, as configured; they decide no weights."""

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_versions(cls, data: Any) -> Any:
        """Accept plans of earlier versions."""
        return height_of_bins_moved(data)

    def decisive(self, stage: Stage = "train") -> dict[str, Any]:
        """Return the keys that decide a stage; those of ``train`` decide the weights."""
        sections = {
            "model": decisive(stage, self.model, "models.*"),
            "training": decisive(stage, _effective(self.training), "training"),
            "prediction": decisive(stage, self.prediction, "prediction"),
        }
        parts = {name: part for name, part in sections.items() if part}
        return {**self.model_dump(mode="json", exclude=set(sections)), **parts}


def _effective(training: TrainingSpec) -> TrainingSpec:
    """Return a training without a key that has no effect in it: heights of bins are never negative as they are."""
    if isinstance(training.height_head, BinsSpec):
        return training.model_copy(update={"height_non_negative": False})
    return training


def task_outputs(plan: RunPlan, statistics: Statistics) -> dict[Task, int]:
    """Return the channels of each task's output: one per class, or those of the height head."""
    return output_channels(plan, len(statistics.classes))


def output_channels(plan: RunPlan, classes: int) -> dict[Task, int]:
    """Return the channels of each task's output for a number of classes."""
    heights = height_channels(plan.training.height_head)
    channels: dict[Output, int] = {"classes": classes, "values": heights}
    return {task: channels[task_entry(task).output] for task in plan.tasks}


def fingerprint(*parts: Any) -> str:
    """Return a hash of plain data, the same in every process."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
