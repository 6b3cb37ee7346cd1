"""A run: what it is planned to be, what its folder holds, and how it is loaded again.

Most steps only read what a run says of itself; torch, which takes seconds to import, is imported where weights are.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from safetensors import SafetensorError, safe_open

from mtlaerial import __version__
from mtlaerial.config import Section, Task, read_yaml
from mtlaerial.errors import DataError
from mtlaerial.runs.plan import RunPlan, code_hash, task_outputs
from mtlaerial.system.files import writing
from mtlaerial.tiles.statistics import Statistics

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mtlaerial.models import D3Net

_MADE = "made"
"""Key of the weights' metadata."""


class RunDescription(Section):
    """What a trained run says of itself: the content of ``run.yaml``."""

    mtlaerial: str
    """Version of the package that trained it."""
    code: str
    """Hash of the package's modules, so that results of different code can be told apart."""
    plan: RunPlan
    statistics: Statistics
    epoch: int
    """The epoch whose weights ``model.safetensors`` holds, counted from 1; 0 where they are imported."""
    imported: str | None = None
    """The file that the weights were imported from. Seed, weighting and training are then not known: of the plan only
    the tasks, the model, the patch and the unit of heights say something."""

    @property
    def name(self) -> str:
        """What the run is called in the files that it makes."""
        dataset, method = self.plan.dataset, self.plan.method
        return f"{dataset}/{method}" if self.imported else f"{dataset}/{method}/seed{self.plan.seed}"

    @property
    def outputs(self) -> dict[Task, int]:
        """Channels of each task's output."""
        return task_outputs(self.plan.tasks, self.statistics)


@dataclass(frozen=True)
class Run:
    """A trained run, ready to predict."""

    folder: Path
    description: RunDescription
    model: "D3Net"


def describe(plan: RunPlan, statistics: Statistics, epoch: int, imported: str | None = None) -> RunDescription:
    """Return the description of a run trained, or imported from a file, by this code."""
    return RunDescription(
        mtlaerial=__version__, code=code_hash(), plan=plan, statistics=statistics, epoch=epoch, imported=imported
    )


def save_run(
    folder: Path,
    description: RunDescription,
    weights: "Mapping[str, Tensor]",
    others: "Mapping[str, Mapping[str, Tensor]]",
) -> None:
    """Write ``run.yaml``, ``model.safetensors`` and other weights by name, each file whole or not at all.

    ``model.safetensors`` carries what made it, so that the run can be described again; as one entry, since safetensors
    writes several in no fixed order.
    """
    from mtlaerial.models.safetensors_io import save_weights

    made = description.model_dump_json(include={"mtlaerial", "code", "epoch", "imported"})
    for name, tensors in others.items():
        save_weights(folder / f"{name}.safetensors", tensors)
    save_weights(folder / "model.safetensors", weights, {_MADE: made})
    _save_description(folder, description)


def describe_again(folder: Path, plan: RunPlan, statistics: Statistics) -> None:
    """Write a run's ``run.yaml`` anew, with titles, names and colours as they are said now.

    Raises
    ------
    DataError
        When the weights are damaged, or do not say what made them.
    """
    path = folder / "model.safetensors"
    try:
        with safe_open(path, framework="np") as file:
            made = json.loads(file.metadata()[_MADE])
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise DataError(path, str(error), "a trained run's weights", "Train the run again.") from None
    _save_description(folder, RunDescription.parse({**made, "plan": plan, "statistics": statistics}, str(path)))


def _save_description(folder: Path, description: RunDescription) -> None:
    with writing(folder / "run.yaml") as path:
        path.write_text(yaml.safe_dump(json.loads(description.model_dump_json()), sort_keys=False), encoding="utf-8")


def load_description(folder: Path) -> RunDescription:
    """Read ``run.yaml``.

    Raises
    ------
    ConfigError
        When it is missing or not a run's description.
    """
    path = folder / "run.yaml"
    return RunDescription.parse(read_yaml(path), str(path))


def load_run(folder: Path, device: "torch.device") -> Run:
    """Load a trained run for prediction.

    Raises
    ------
    ConfigError, DataError
        When its description or its weights are missing or damaged.
    """
    import torch

    from mtlaerial.models import build_model
    from mtlaerial.models.safetensors_io import load_weights

    description = load_description(folder)
    model = build_model(description.plan.model, len(description.statistics.bands), description.outputs)
    load_weights(model, folder / "model.safetensors")
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
    return Run(folder, description, model.eval())
