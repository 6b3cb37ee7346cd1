"""A run's description, ``run.yaml``, which names the weights by their hash."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from mtlaerial.config import Section, Task, read_yaml
from mtlaerial.config.base import is_empty, is_none
from mtlaerial.config.ensemble import Average
from mtlaerial.config.faults import did_you_mean
from mtlaerial.config.predictors import Learner
from mtlaerial.config.start import SHIPPED
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.runs.budget import Budget, described_plan
from mtlaerial.runs.ensemble_file import ensemble_in_place_of_run, is_ensemble, read_ensemble
from mtlaerial.runs.ground import Ground
from mtlaerial.runs.imported import Original, with_placeholders, without_training
from mtlaerial.runs.plan import RunPlan, task_outputs
from mtlaerial.runs.recipe_record import RecipeRecord
from mtlaerial.runs.start import StartRecord
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, load_provenance, weights_hash
from mtlaerial.system.file_format import require_format
from mtlaerial.system.files import write_text
from mtlaerial.tiles.labelled_area import LabelledArea
from mtlaerial.tiles.statistics import Statistics

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
    budget: Budget | None = Field(default=None, exclude_if=is_none)
    """Budget of the training, of which ``plan`` has the number of updates; None where that was given."""
    labelled: LabelledArea | None = Field(default=None, exclude_if=is_none)
    """The part of the truth that the training used, which ``statistics`` are of; None for all of it."""
    ground: Ground | None = Field(default=None, exclude_if=is_none)
    """The ground of the training tiles; None for imported weights, and in files of earlier versions."""
    ground_notes: tuple[str, ...] = Field(default=(), exclude_if=is_empty)
    """Sentences on validation tiles that lie on ground of runs that the training began with, or may."""
    recipe: RecipeRecord | None = None
    """The recipe that the configuration names; None without one."""
    ended_early: int | None = None
    """The epoch after which ``training.patience`` ended the training; None where it had all its epochs."""
    members: "dict[Path, RunDescription]" = Field(default={}, exclude=True)
    """Of an ensemble, its runs by folder: weighting, network and training are theirs. What ``plan`` has in their place,
    and the statistics, are the first member's; the classes are those of the first member that learns some."""
    heights: Average = Field(default="mean", exclude=True)
    """Of an ensemble, the average over its networks that heights are."""

    @property
    def networks(self) -> "tuple[RunDescription, ...]":
        """Descriptions of the runs whose networks predict: the members of an ensemble, else the run itself."""
        return tuple(self.members.values()) or (self,)

    @property
    def name(self) -> str:
        """Name of the run in the files that it writes."""
        dataset, method = self.plan.dataset, self.plan.method
        return f"{dataset}/{method}" if self.imported else f"{dataset}/{method}/seed{self.plan.seed}"

    @property
    def recipe_text(self) -> str:
        """The recipe that the configuration names, of an ensemble those of its members; empty where none is named."""
        texts = [network.recipe.text if network.recipe else "" for network in self.networks]
        return " and ".join(dict.fromkeys(text or "none named" for text in texts)) if any(texts) else ""

    @property
    def learner(self) -> Learner:
        """Tasks and height head, as predictors need them."""
        return Learner(self.name, self.plan.tasks, self.plan.training.height_head)

    @property
    def outputs(self) -> dict[Task, int]:
        """Channels of each task's output."""
        return task_outputs(self.plan, self.statistics)


def save_description(folder: Path, plan: RunPlan, statistics: Statistics, recipe: RecipeRecord | None = None) -> None:
    """Write ``run.yaml``: the plan, the statistics, the recipe, and hash and provenance of ``model.safetensors``.

    It is a step of its own, so that a corrected title, name or colour changes the description and trains nothing again.

    Raises
    ------
    DataError
        When the weights are damaged or carry no provenance.
    """
    provenance = load_provenance(folder)
    trained = described_plan(plan, provenance.budget, folder / WEIGHTS)
    area = provenance.labelled
    described = {"plan": trained, "statistics": area.described(statistics) if area else statistics, "recipe": recipe}
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

    Of an ensemble, the descriptions of its members are read too.

    Raises
    ------
    ConfigError, DataError
        When it is missing, of another format, or not a run's description.
    """
    data = _current_entries(folder)
    return read_ensemble(folder, data, _read_single) if is_ensemble(data) else _described(folder, data)


def _read_single(folder: Path) -> RunDescription:
    """Read the description of a run that is no ensemble."""
    data = _current_entries(folder)
    if is_ensemble(data):
        runs = [str(entry.get("run")) for entry in data["members"] if isinstance(entry, Mapping)]
        raise ensemble_in_place_of_run(folder, runs, "as the member of an ensemble")
    return _described(folder, data)


def _current_entries(folder: Path) -> dict[str, Any]:
    data = read_entries(folder)
    require_format(folder / DESCRIPTION, data, FORMAT, f"Convert it with: mtlaerial upgrade {folder}")
    return data


def _described(folder: Path, data: Mapping[str, Any]) -> RunDescription:
    return RunDescription.parse(with_placeholders(data), str(folder / DESCRIPTION))


def read_entries(folder: Path) -> dict[str, Any]:
    """Read the entries of ``run.yaml``, of whatever format.

    Raises
    ------
    ConfigError
        When it is missing or no YAML.
    """
    require_run(folder)
    return read_yaml(folder / DESCRIPTION)


def require_run(folder: Path) -> None:
    """Refuse a folder without ``run.yaml``; nothing is read.

    Raises
    ------
    ConfigError
    """
    if not (folder / DESCRIPTION).is_file():
        raise _no_run(folder)


def load_description(folder: Path) -> RunDescription:
    """Read ``run.yaml``, and verify that the weights beside it are those that it describes; or those of its members.

    Raises
    ------
    ConfigError, DataError
        When it is missing or not a run's description, or the weights are missing or have another hash.
    """
    description = read_description(folder)
    for run, described in (description.members or {folder: description}).items():
        _require_weights(run, described.sha256)
    return description


def _require_weights(folder: Path, sha256: str) -> None:
    digest = weights_hash(folder)
    if digest != sha256:
        raise DataError(
            folder / WEIGHTS,
            f"SHA-256 {digest[:12]}…",
            f"{sha256[:12]}…, as {folder / DESCRIPTION} says",
            "They are of two runs, or damaged: copy both anew from where the run was trained, or train it again.",
        )


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
