"""Files of a run's folder: weights and ``run.yaml``, the description.

Most steps read only the description: torch, which takes seconds to import, is imported only where weights are read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from safetensors import SafetensorError, safe_open

from mtlaerial.config import Section, Task, read_yaml
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.system.files import writing
from mtlaerial.tiles.statistics import Statistics
from mtlaerial.version import __version__

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mtlaerial.models import D3Net

_PROVENANCE = "made"
"""Key of the weights' metadata."""


class Provenance(Section):
    """Origin of a run's weights, which their file carries as metadata."""

    mtlaerial: str = __version__
    """Version of the package that wrote them."""
    code: str
    """Hash of the modules that wrote them."""
    epoch: int
    """The epoch that they are from, counted from 1; 0 for imported ones."""
    imported: str | None = None
    """The file that they were imported from."""


class RunDescription(Section):
    """Description of a trained run: the content of ``run.yaml``."""

    mtlaerial: str
    """Version of the package that trained or imported it."""
    code: str
    """Hash of the modules that trained or imported it; results of different code are told apart by it."""
    plan: RunPlan
    statistics: Statistics
    epoch: int
    """The epoch of the weights in ``model.safetensors``, counted from 1; 0 for imported ones."""
    imported: str | None = None
    """The file that the weights were imported from. Seed, weighting and training are unknown then: of the plan only
    the tasks, the model, the patch and the unit of heights have a meaning."""

    @property
    def name(self) -> str:
        """Name of the run in the files that it writes."""
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


def save_run_weights(
    folder: Path,
    provenance: Provenance,
    weights: "Mapping[str, Tensor]",
    others: "Mapping[str, Mapping[str, Tensor]]",
) -> None:
    """Write ``model.safetensors`` with its provenance, and other weights by name; each write is atomic."""
    from mtlaerial.models.safetensors_io import save_weights

    for name, tensors in others.items():
        save_weights(folder / f"{name}.safetensors", tensors)
    # One entry, since safetensors writes several in no fixed order.
    save_weights(folder / "model.safetensors", weights, {_PROVENANCE: provenance.model_dump_json()})


def save_description(folder: Path, plan: RunPlan, statistics: Statistics) -> None:
    """Write ``run.yaml``: the plan, the statistics, and the provenance that ``model.safetensors`` carries.

    It is a step of its own, so that a corrected title, name or colour changes the description and trains nothing again.

    Raises
    ------
    DataError
        When the weights are damaged or carry no provenance.
    """
    weights = folder / "model.safetensors"
    entries = {**_load_provenance(weights), "plan": plan, "statistics": statistics}
    description = RunDescription.parse(entries, str(weights))
    with writing(folder / "run.yaml") as path:
        path.write_text(yaml.safe_dump(json.loads(description.model_dump_json()), sort_keys=False), encoding="utf-8")


def _load_provenance(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, framework="np") as file:
            return dict(json.loads(file.metadata()[_PROVENANCE]))
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise DataError(path, str(error), "a trained run's weights", "Train the run again.") from None


def load_description(folder: Path) -> RunDescription:
    """Read ``run.yaml``.

    Raises
    ------
    ConfigError
        When it is missing or not a run's description.
    """
    path = folder / "run.yaml"
    if not path.is_file():
        raise _no_run(folder)
    return RunDescription.parse(read_yaml(path), str(path))


def _no_run(folder: Path) -> ConfigError:
    """Return the error on a folder that is no trained run."""
    remedy = "Give the folder that a training wrote, such as results/NAME/runs/METHOD/seed0."
    content = "no such folder"
    if folder.is_dir():
        content = "a folder without run.yaml"
    elif folder.exists():
        content, remedy = "a file", "The run comes first: mtlaerial predict RUN_DIR IMAGE --out DIR."
    return ConfigError(folder, content, "the folder of a trained run", remedy)


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
