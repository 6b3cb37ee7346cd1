"""Ensembles: runs of one data set that predict together, and the folder that names them."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from mtlaerial.config import PredictionSpec, Task
from mtlaerial.config.ensemble import Average, median_of_nothing
from mtlaerial.config.faults import Unfit
from mtlaerial.config.predictors import require_predictor
from mtlaerial.config.require import require_dropout, require_multiple
from mtlaerial.config.tasks import registry_order, require_distinct_maps, tasks_with
from mtlaerial.errors import ConfigError, DataError, MismatchError
from mtlaerial.runs.ensemble_file import (
    EnsembleEntries,
    EnsemblePlan,
    ensemble_in_place_of_run,
    joint_sha256,
    listed_runs,
)
from mtlaerial.runs.run import FORMAT, RunDescription, load_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS
from mtlaerial.system.files import write_text
from mtlaerial.version import __version__

log = logging.getLogger(__name__)
REMEDY = "Choose runs that were trained on the same data set and its images."


def save_ensemble(folder: Path, plan: EnsemblePlan, runs: Sequence[Path]) -> None:
    """Write the ``run.yaml`` of an ensemble of runs, whose weights stay where they are.

    Raises
    ------
    ConfigError, DataError, MismatchError
        When a run is missing, damaged, an ensemble itself or given twice; runs were trained on different data sets,
        bands, ranges, pixel sizes or classes; the windows do not fit all networks; or the folder holds a trained run.
    """
    descriptions = load_members(runs)
    require_alike(runs, descriptions)
    _require_predictable(plan.prediction, descriptions)
    if (folder / WEIGHTS).exists():
        raise DataError(folder, "a trained run", "a folder without weights", "Choose another folder.")
    hashes = {run: description.sha256 for run, description in zip(runs, descriptions, strict=True)}
    entries = EnsembleEntries(
        format=FORMAT,
        mtlaerial=__version__,
        sha256=joint_sha256(hashes.values(), plan.heights),
        members=listed_runs(folder, hashes),
        plan=plan,
    )
    write_text(folder / DESCRIPTION, yaml.safe_dump(entries.model_dump(mode="json"), sort_keys=False))


def make_ensemble(
    runs: Sequence[Path], folder: Path, name: str = "", replace: bool = False, heights: Average = "mean"
) -> None:
    """Make a folder that predicts as the average of runs; see :func:`save_ensemble`.

    Its tasks are those that at least one run learns, and it predicts as the first run is scored.

    Parameters
    ----------
    runs : sequence of Path
    folder : Path
    name : str, optional
        Its name in tables and maps; by default the folder's.
    replace : bool
        Replace another ensemble in the folder.
    heights : Average
        The average over the networks that heights are.

    Raises
    ------
    ConfigError, DataError, MismatchError
        As of :func:`save_ensemble`; or when the folder holds an ensemble that must not be replaced, or no run learns
        heights to be a median of.
    """
    if (folder / DESCRIPTION).exists() and not replace:
        remedy = "Choose another --out, or replace it: --replace."
        raise DataError(folder, "a run or an ensemble", "a folder without one", remedy)
    first, *_ = descriptions = load_members(runs)
    tasks = joint_tasks(descriptions)
    if heights != "mean" and not tasks_with("heights", tasks):
        fault = median_of_nothing("--heights")
        raise ConfigError(fault.key, fault.found, fault.expected, fault.remedy)
    plan = EnsemblePlan(
        dataset=first.plan.dataset,
        method=name or folder.resolve().name,
        seed=first.plan.seed,
        tasks=tasks,
        prediction=first.plan.prediction,
        heights=heights,
    )
    save_ensemble(folder, plan, runs)
    _log_other_predictions(runs, descriptions)


def load_members(runs: Sequence[Path]) -> list[RunDescription]:
    """Return the descriptions of runs, each a single one, given once, and with the weights that it describes.

    Raises
    ------
    ConfigError, DataError
    """
    repeated = [run for run, times in Counter(map(Path.resolve, runs)).items() if times > 1]
    if repeated:
        raise DataError(repeated[0], "a run that is given twice", "each run once", "Leave one out.")
    descriptions = [load_description(run) for run in runs]
    for run, description in zip(runs, descriptions, strict=True):
        if description.members:
            members = list(map(str, description.members))
            raise ensemble_in_place_of_run(run, members, "as the member of an ensemble")
    return descriptions


def joint_tasks(descriptions: Sequence[RunDescription]) -> tuple[Task, ...]:
    """Return the tasks that at least one run learns, the package's first."""
    tasks = dict.fromkeys(task for description in descriptions for task in description.plan.tasks)
    return tuple(sorted(tasks, key=registry_order))


def require_alike(runs: Sequence[Path], descriptions: Sequence[RunDescription]) -> None:
    """Refuse runs whose maps are no maps of the same things.

    Raises
    ------
    MismatchError
        For the first run that differs from the first one, and what it differs in.
    """
    common: dict[str, tuple[str, Path]] = {}
    for run, description in zip(runs, descriptions, strict=True):
        for name, value in _facts(description).items():
            expected, first = common.setdefault(name, (value, run))
            if value != expected:
                raise MismatchError(run, f"{name} {value}", f"{name} {expected}, as of {first}", REMEDY)
    try:
        require_distinct_maps(joint_tasks(descriptions))
    except Unfit as fault:
        raise ConfigError("the members' tasks", fault.found, fault.expected, "Leave out a run.") from None


def _facts(description: RunDescription) -> dict[str, str]:
    """Return what members must have in common; the classes only of a run that learns some."""
    statistics = description.statistics
    low, high = statistics.range
    facts = {
        "the data set": description.plan.dataset,
        "the bands": ", ".join(f"{band.name} ({band.index})" for band in statistics.bands),
        "values of": f"{low:g} to {high:g} ({statistics.dtype})",
        "the no-data value": "none" if statistics.nodata is None else f"{statistics.nodata:g}",
        "pixels of": f"{statistics.gsd:g} m",
    }
    if tasks_with("classes", description.plan.tasks):
        facts["the classes"] = ", ".join(entry.name for entry in statistics.classes)
    return facts


def _log_other_predictions(runs: Sequence[Path], descriptions: Sequence[RunDescription]) -> None:
    """Log the runs that are scored with another prediction than the first, by which the ensemble predicts."""
    first, *others = [description.plan.prediction for description in descriptions]
    for run, prediction in zip(runs[1:], others, strict=True):
        keys = [key for key in PredictionSpec.model_fields if getattr(prediction, key) != getattr(first, key)]
        if keys:
            log.info("the ensemble predicts as %s; %s is scored with another %s", runs[0], run, ", ".join(keys))


def _require_predictable(prediction: PredictionSpec, descriptions: Sequence[RunDescription]) -> None:
    for description in descriptions:
        require_multiple("prediction.window", prediction.window, description.plan.model)
        require_dropout("prediction.dropout_passes", prediction.dropout_passes, description.plan.model)
    require_predictor("prediction.", prediction, [description.learner for description in descriptions])
