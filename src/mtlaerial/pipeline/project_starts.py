"""Initial weights of a project's trainings: published ones, and runs of the same workflow or of others."""

import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mtlaerial.config import D3NetSpec
from mtlaerial.errors import ConfigError, UserError
from mtlaerial.pipeline.project import Project
from mtlaerial.pipeline.start import Start, require_start, resolve_start
from mtlaerial.pipeline.start_fit import require_fitting_start
from mtlaerial.runs.initial_weights_check import require_usable_weights
from mtlaerial.runs.run import read_description
from mtlaerial.runs.start import is_run


class RunName(NamedTuple):
    """Data set and method of runs that differ in the seed alone."""

    dataset: str
    method: str


def start_of(project: Project, method: str) -> Start | None:
    """Return the weights that the training of a method begins with; None for random ones."""
    return resolve_start(project.config, project.config.methods[method].model, _fetched(project))


def start_identity(project: Project, method: str) -> str | list[int]:
    """Return what tells a method's initial weights from others of the same name; nothing of those the workflow makes.

    Snakemake itself notices only files that are newer than the results, and the package's files are no inputs of a
    rule. It is the hash of a run's weights, and size and time of a file of weights in whole seconds, as file systems
    keep fractions differently.
    """
    start = start_of(project, method)
    if start is None or start.published or run_of(project, start.path):
        return ""
    with suppress(UserError, OSError):  # of a missing one check_starts tells
        if is_run(start.path):
            return read_description(start.path).sha256
        status = start.path.stat()
        return [status.st_size, int(status.st_mtime)]
    return ""


def check_starts(project: Project) -> None:
    """Refuse initial weights of the selected methods that are not there or do not fit, before any job.

    Raises
    ------
    ConfigError
        It says what to install, or where a file was looked for; what a run lacks, or which runs begin with each other;
        or which weighting needs the gradients of a frozen part.
    """
    for model in dict.fromkeys(project.config.methods[method].model for _, method in project.trainings()):
        require_start(project.config, model, _fetched(project), lambda folder: run_of(project, folder) is not None)
    for dataset, method in project.trainings():
        _require_single(project, method)
        _require_beginning(project, RunName(dataset, method))
        _require_freezable(project, dataset, method)
        _require_fitting(project, dataset, method)


def run_of(project: Project, folder: Path) -> RunName | None:
    """Return data set and method of a run that the workflow makes, by its folder; None of any other."""
    results = project.config.results
    parts = folder.relative_to(results).parts if folder.is_relative_to(results) else ()
    if len(parts) != 4 or parts[1] != "runs" or not re.fullmatch(r"seed\d+", parts[3]):
        return None
    run = RunName(parts[0], parts[2])
    return run if run in [*project.runs(), *project.trainings()] else None


def _require_single(project: Project, method: str) -> None:
    """Refuse a training that begins with an ensemble of the workflow, which has no weights."""
    start = start_of(project, method)
    source = run_of(project, start.path) if start else None
    if start and source and project.config.methods[source.method].ensemble:
        key, remedy = f"methods.{method}", "Begin with the run of one of its members."
        raise ConfigError(key, f"the start {start.path}, an ensemble", "the run of a single training", remedy)


def _require_beginning(project: Project, run: RunName) -> None:
    """Refuse a run that begins with itself, be it by way of others."""
    passed = [run]
    while before := _run_before(project, passed[-1]):
        if before in passed:
            start, others = start_of(project, run.method), [each.method for each in passed[1:]]
            assert start is not None
            way = f", by way of {', '.join(others)}" if others else ""
            expected = f"a run that does not begin with itself{way}"
            remedy = "Choose the run of another method."
            raise ConfigError(f"methods.{run.method}", f"the start {start.path}", expected, remedy)
        passed.append(before)


def _run_before(project: Project, run: RunName) -> RunName | None:
    """Return the training whose weights a run begins with; None where it is none of the workflow."""
    start = start_of(project, run.method)
    source = run_of(project, start.path) if start else None
    return RunName(source.dataset, project.weights_of(*source)) if source else None


def _require_fitting(project: Project, dataset: str, method: str) -> None:
    """Refuse weights that lack a band, or a run that lacks a task or has another network; it may be untrained yet."""
    start, plan = start_of(project, method), project.plan(dataset, method, seed=0)
    if start is None or plan.model.start is None:
        return
    if isinstance(plan.model, D3NetSpec) and start.published and not plan.model.start.new_bands:
        return  # whatever the bands; without torch, as the most frequent case
    bands, source = project.dataset(dataset).spec.image.band_names, run_of(project, start.path)
    if source is None:
        require_fitting_start(start, plan, bands)
        return
    source_plan = project.plan(source.dataset, project.weights_of(*source), seed=0)
    source_bands = project.dataset(source.dataset).spec.image.band_names
    require_usable_weights(start.path, source_plan, source_bands, plan, bands)


def _require_freezable(project: Project, dataset: str, method: str) -> None:
    plan = project.plan(dataset, method, seed=0)
    if plan.model.start and plan.model.start.freeze:
        from mtlaerial.training.freezing import require_freezable  # which loads torch

        require_freezable(plan)


def _fetched(project: Project) -> Path:
    """Return the folder of fetched weights."""
    return project.config.results / "pretrained"
