"""Initial weights of a project's trainings: published ones, and runs of the same workflow or of others."""

import re
from pathlib import Path
from typing import NamedTuple

from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.start import Start, require_start, resolve_start


class RunName(NamedTuple):
    """Data set and method of runs that differ in the seed alone."""

    dataset: str
    method: str


def start_of(project: Project, method: str) -> Start | None:
    """Return the weights that the training of a method begins with; None for random ones."""
    return resolve_start(project.config, project.config.methods[method].model, _fetched(project))


def check_starts(project: Project) -> None:
    """Refuse initial weights of the selected methods that are not there, and frozen parts that must be trained.

    Raises
    ------
    ConfigError
        It says what to install, or where a file was looked for; or which weighting needs the gradients of a part.
    """
    for model in dict.fromkeys(project.config.methods[method].model for _, method in project.trainings()):
        require_start(project.config, model, _fetched(project), lambda folder: run_of(project, folder) is not None)
    for dataset, method in project.trainings():
        start = start_of(project, method)
        source = run_of(project, start.path) if start else None
        if start and source and project.config.methods[source.method].ensemble:
            key, remedy = f"methods.{method}", "Begin with the run of one of its members."
            raise ConfigError(key, f"the start {start.path}, an ensemble", "the run of a single training", remedy)
        if start and source == (dataset, method):
            key, remedy = f"methods.{method}", "Choose the run of another method."
            raise ConfigError(key, f"the start {start.path}", "a run that does not begin with itself", remedy)
        _require_freezable(project, dataset, method)


def run_of(project: Project, folder: Path) -> RunName | None:
    """Return data set and method of a run that the workflow makes, by its folder; None of any other."""
    results = project.config.results
    parts = folder.relative_to(results).parts if folder.is_relative_to(results) else ()
    if len(parts) != 4 or parts[1] != "runs" or not re.fullmatch(r"seed\d+", parts[3]):
        return None
    run = RunName(parts[0], parts[2])
    return run if run in [*project.runs(), *project.trainings()] else None


def _require_freezable(project: Project, dataset: str, method: str) -> None:
    plan = project.plan(dataset, method, seed=0)
    if plan.model.start and plan.model.start.freeze:
        from mtlaerial.training.freezing import require_freezable  # which loads torch

        require_freezable(plan)


def _fetched(project: Project) -> Path:
    """Return the folder of fetched weights."""
    return project.config.results / "pretrained"
