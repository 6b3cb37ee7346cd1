"""A run's description, ``run.yaml``, which names the weights by their hash, and the run made of both.

Most steps read only the description: torch, which takes seconds to import, is imported only where weights are read.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mtlaerial.config import Section, Task, read_yaml
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.start import SHIPPED
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.imported import Original, with_placeholders, without_training
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.runs.recipe_record import RecipeRecord
from mtlaerial.runs.start import StartRecord
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, load_provenance, weights_hash
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text
from mtlaerial.tiles.statistics import Statistics

if TYPE_CHECKING:
    import torch

    from mtlaerial.models import Network

FORMAT = 2
"""Format of ``run.yaml``; the first had neither the hash of the weights nor the prediction."""


class RunDescription(Section):
    """Description of a trained run: the content of ``run.yaml``."""

    format: int = FORMAT
    mtlaerial: str
    """Version of the package that trained or imported it."""
    code: str
    """Hash of the modules that trained or imported it; results of different code are told apart by it."""
    sha256: str
    """SHA-256 of ``model.safetensors``: description and weights are of one run."""
    plan: RunPlan
    statistics: Statistics
    epoch: int
    """The epoch of the weights in ``model.safetensors``, counted from 1; 0 for imported ones."""
    imported: str | None = None
    """The file that the weights were imported from. Seed, weighting and training are not known then: of the plan only
    the tasks, the model's sizes, the unit of heights and the prediction have a meaning."""
    original: Original | None = None
    """Facts about that file; None in files of earlier versions."""
    identity: str | None = None
    """Fingerprint of the plan and the data of the training; None where it is unknown."""
    validation: dict[str, str] | None = None
    """Hash of the image of each validation tile, as ``statistics.images`` of the training tiles; None where it is
    unknown."""
    start: StartRecord | None = None
    """Origin of the weights that the training began with; None for random ones, and in files of earlier versions."""
    recipe: RecipeRecord | None = None
    """The recipe that the configuration names; None without one."""
    ended_early: int | None = None
    """The epoch after which ``training.patience`` ended the training; None where it had all its epochs."""

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
    model: "Network"


def save_description(folder: Path, plan: RunPlan, statistics: Statistics, recipe: RecipeRecord | None = None) -> None:
    """Write ``run.yaml``: the plan, the statistics, the recipe, and hash and provenance of ``model.safetensors``.

    It is a step of its own, so that a corrected title, name or colour changes the description and trains nothing again.

    Raises
    ------
    DataError
        When the weights are damaged or carry no provenance.
    """
    provenance = load_provenance(folder)
    described = {"plan": plan, "statistics": statistics, "recipe": recipe}
    entries = {**provenance.model_dump(), "sha256": weights_hash(folder), **described}
    write_description(folder, RunDescription.parse(entries, str(folder / WEIGHTS)))


def write_description(folder: Path, description: RunDescription) -> None:
    """Write ``run.yaml`` as it is given."""
    optional = ("original", "start", "recipe", "ended_early")
    excluded = {name for name in optional if getattr(description, name) is None}
    entries = json.loads(description.model_dump_json(exclude=excluded))
    if description.imported:
        entries = without_training(entries)
    write_text(folder / DESCRIPTION, yaml.safe_dump(entries, sort_keys=False))


def read_description(folder: Path) -> RunDescription:
    """Read ``run.yaml`` without the weights; use :func:`load_description` where anything is concluded from it.

    Raises
    ------
    ConfigError, DataError
        When it is missing, of another format, or not a run's description.
    """
    path = folder / DESCRIPTION
    data = read_entries(folder)
    require_format(path, data, FORMAT, f"Convert it with: mtlaerial upgrade {folder}")
    return RunDescription.parse(with_placeholders(data), str(path))


def read_entries(folder: Path) -> dict[str, Any]:
    """Read the entries of ``run.yaml``, of whatever format.

    Raises
    ------
    ConfigError
        When it is missing or no YAML.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise _no_run(folder)
    return read_yaml(path)


def load_description(folder: Path) -> RunDescription:
    """Read ``run.yaml``, and verify that the weights beside it are those that it describes.

    Raises
    ------
    ConfigError, DataError
        When it is missing or not a run's description, or the weights are missing or have another hash.
    """
    description = read_description(folder)
    digest = weights_hash(folder)
    if digest != description.sha256:
        raise DataError(
            folder / WEIGHTS,
            f"SHA-256 {digest[:12]}…",
            f"{description.sha256[:12]}…, as {folder / DESCRIPTION} says",
            "They are of two runs, or damaged: copy both anew from where the run was trained, or train it again.",
        )
    return description


def load_run(folder: Path, device: "torch.device") -> Run:
    """Load a trained run for prediction.

    Raises
    ------
    ConfigError, DataError
        When its description or its weights are missing or damaged, do not belong together, or are not finite.
    """
    description = load_description(folder)
    return Run(folder, description, load_network(folder, description, device))


def load_network(folder: Path, description: RunDescription, device: "torch.device") -> "Network":
    """Return the network that a description states, with a run's weights, ready to predict.

    Raises
    ------
    DataError
        When the weights are missing or damaged, not finite, or do not fit the network.
    """
    import torch

    from mtlaerial.models import build_model
    from mtlaerial.models.safetensors_io import load_weights
    from mtlaerial.runs.fitting_weights import require_fitting_weights

    sizes = description.plan.model, len(description.statistics.bands), description.outputs
    try:
        with torch.device("meta"):  # sizes that do not fit the weights take no memory
            network = build_model(*sizes)
    except RuntimeError as error:
        remedy = "Get the file anew: it is damaged."
        where = f"{folder / DESCRIPTION}, key plan.model"
        raise DataError(where, f"sizes that cannot be ({error})", "the sizes of its weights", remedy) from None
    weights = load_weights(folder / WEIGHTS)
    require_fitting_weights(folder, network, weights)
    if any(name not in weights for name, _ in network.named_buffers()):
        network = build_model(*sizes)  # e.g. tables of positions, which are computed and not in the file
    network.load_state_dict(weights, assign=True)
    network.to(device, torch.float32, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types lack it
    network.eval()
    return network


def _no_run(folder: Path) -> ConfigError:
    """Return the error on a folder that is no trained run."""
    remedy = "Give the folder that a training wrote, such as results/NAME/runs/METHOD/seed0."
    content = "no such folder"
    if not folder.exists():
        remedy = did_you_mean(str(folder), SHIPPED, remedy)
    if (folder / WEIGHTS).exists():
        content = f"weights without {DESCRIPTION}"
        remedy = "The command that trains the run was ended before it wrote that: give it again."
    elif any(folder.glob("*.resume.pt")):
        content = "a training that has not ended"
        remedy = "The command that trains the run resumes it."
    elif folder.is_dir():
        content = f"a folder without {DESCRIPTION}"
    elif folder.exists():
        content, remedy = "a file", "The run comes first: mtlaerial predict RUN_DIR IMAGE --out DIR."
    return ConfigError(folder, content, "the folder of a trained run", remedy)
