"""Single run without Snakemake: check, prepare, summarise, train, describe; in one process or in several."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtlaerial.config import ProjectConfig, Split, load_project
from mtlaerial.config.selection import require_method, truth_notes
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.configured_entry import configured_entry
from mtlaerial.pipeline.ground_notes import start_ground_notes
from mtlaerial.pipeline.plan_run import plan_run
from mtlaerial.pipeline.prepared_tiles import prepared_tiles
from mtlaerial.pipeline.run_budget import known_budget, with_measured_budget
from mtlaerial.pipeline.run_training import run_training
from mtlaerial.pipeline.sound_data import require_sound
from mtlaerial.pipeline.start import Start, require_start, resolve_start
from mtlaerial.pipeline.start_fit import require_fitting_start
from mtlaerial.runs.finished import require_same_plan
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.recipe_record import recipe_record
from mtlaerial.runs.run import save_description
from mtlaerial.system.files import require_folder
from mtlaerial.tiles.measure import summarise
from mtlaerial.training.freezing import require_freezable
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.process_group import Group
from mtlaerial.training.rendezvous import follow_main, single_error
from mtlaerial.training.requirements import require_trainable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SingleRun:
    """Request of a run without Snakemake: data set, method, seed and folders.

    Attributes
    ----------
    spec, root : Path
        The data set.
    folder : Path
        The run's folder, the same for all processes.
    configs : sequence of Path
        Configuration and overlays; by default as :func:`mtlaerial.config.load_project` finds one.
    method : str
    seed : int
    area : str, optional
        Of a data set with areas, the one that is left out of the training.
    tiles : Path, optional
        Folder of prepared tiles, which runs may share; by default ``folder/tiles``, the run's own.
    replace : bool
        Replace the finished run of another plan or of other data in the folder.
    recipe : str, optional
        Name of a recipe whose keys apply after the configuration's.
    settings : mapping
        Keys that win over the configuration and the recipe.
    """

    spec: Path
    root: Path
    folder: Path
    configs: Sequence[Path]
    method: str = "equal"
    seed: int = 0
    area: str | None = None
    tiles: Path | None = None
    replace: bool = False
    recipe: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def train_single(run: SingleRun) -> None:
    """Train and describe a run of one method with one seed on one data set; fetch pretrained weights that it needs.

    A budget becomes a number of updates by a rate, which is measured once and kept beside the run.
    Where the folder holds this run, finished, nothing is done. Of several processes that ``torchrun`` started, only the
    main one prepares, while the others wait for it. The first process that fails gives the reason, and all end.

    Raises
    ------
    UserError
        When the data set, the configuration or the method is wrong, the folder holds another run, or the training
        fails.
    """
    with single_error():
        main = Group.current().main
        prepared = _prepare(run).model_dump_json() if main else ""
        job = TrainingJob.model_validate_json(follow_main("prepared", prepared))
        run_training(job)
        if main:
            save_description(job.folder, job.plan, job.statistics, job.recipe)


def _with_splits(dataset: Dataset, area: str | None) -> Dataset:
    """Return a data set with fixed splits: itself, or the fold of an area."""
    if area is not None:
        return dataset.fold(area)
    if dataset.spec.areas:
        areas = ", ".join(dataset.spec.areas)
        raise ConfigError("areas", areas, "one to leave out of this training", "Name it with --area.")
    return dataset


def _prepare(run: SingleRun) -> TrainingJob:
    described = Dataset.of(run.spec, run.root)
    dataset = _with_splits(described, run.area)
    dataset.require_root()
    config = load_project(*run.configs, recipe=run.recipe, settings=run.settings)
    require_method(config, run.method)
    planned = plan_run(config, dataset, run.method, run.seed, configured_entry(config, described.name))
    plan, budget = known_budget(planned, run.folder)
    Group.current().share(plan.training.batch, plan.training.accumulate)  # raise before the long preparation
    lacking = {run.method: [task for task in config.methods[run.method].tasks if task not in plan.tasks]}
    for note in truth_notes(lacking, [run.method], dataset.name):
        log.info("%s", note)
    require_trainable(plan, len(dataset.spec.image.bands), len(dataset.spec.class_names))
    require_same_plan(run.folder, plan, run.replace)
    start = _fetched_start(run, config, plan, dataset.spec.image.band_names)
    require_folder(run.folder)
    require_sound(dataset)
    for note in start_ground_notes(start, run.method, dataset):
        log.warning("%s", note)
    training, validation = _prepared_splits(run, dataset)
    job = TrainingJob(
        plan=plan,
        statistics=summarise(dataset, training),
        training_tiles=training,
        validation_tiles=validation,
        folder=run.folder,
        pretrained=start.path if start else None,
        start=start.record if start else None,
        budget=budget,
        recipe=recipe_record(config, planned),
        dashboard=config.dashboard,
        loggers=config.loggers,
        replace=run.replace,
    )
    return with_measured_budget(job)


def _fetched_start(run: SingleRun, config: ProjectConfig, plan: RunPlan, bands: Sequence[str]) -> Start | None:
    """Return the weights that the training begins with, checked and there; None for random ones."""
    model, folder = config.methods[run.method].model, run.folder / "pretrained"
    require_freezable(plan)
    require_start(config, model, folder)
    start = resolve_start(config, model, folder)
    if start:
        require_fitting_start(start, plan, bands)
        start.fetch()
    return start


def _prepared_splits(run: SingleRun, dataset: Dataset) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the folders of the prepared training and validation tiles."""
    splits: tuple[Split, ...] = ("train", "val")
    training, validation = (tuple(dataset.spec.splits.get(split, ())) for split in splits)
    parent = run.tiles or run.folder / "tiles"
    folders = prepared_tiles(dataset, [*training, *validation], parent, shared=run.tiles is not None)
    return folders[: len(training)], folders[len(training) :]
