"""Single run without Snakemake: check, prepare, summarise, train, describe; in one process or in several."""

import logging
from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import ModelSpec, ProjectConfig, Split, load_project
from mtlaerial.config.selection import require_method, truth_notes
from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.pretrained import fetch_pretrained
from mtlaerial.pipeline.plan_run import plan_run
from mtlaerial.pipeline.run_training import run_training
from mtlaerial.runs.run import save_description
from mtlaerial.system.progress import track
from mtlaerial.tiles.measure import summarise
from mtlaerial.tiles.prepare import prepare_tile
from mtlaerial.training.job import TrainingJob
from mtlaerial.training.process_group import Group
from mtlaerial.training.rendezvous import follow_main, single_error

log = logging.getLogger(__name__)


def train_single(
    spec: Path, root: Path, folder: Path, configs: Sequence[Path], method: str, seed: int, area: str | None = None
) -> None:
    """Train and describe a run of one method with one seed on one data set; fetch pretrained weights that it needs.

    Of several processes that ``torchrun`` started, only the main one prepares, while the others wait for it. The first
    process that fails gives the reason, and all end.

    Parameters
    ----------
    spec, root : Path
        The data set.
    folder : Path
        The run's folder, the same for all processes; prepared tiles go to ``folder/tiles``.
    configs : sequence of Path
        Configuration and overlays.
    method : str
    seed : int
    area : str, optional
        Of a data set with areas, the one that is left out of the training.

    Raises
    ------
    UserError
        When the data set, the configuration or the method is wrong, or the training fails.
    """
    with single_error():
        main = Group.current().main
        prepared = ""
        if main:
            dataset = _with_splits(Dataset.of(spec, root), area)
            prepared = _prepare(dataset, folder, configs, method, seed).model_dump_json()
        job = TrainingJob.model_validate_json(follow_main("prepared", prepared))
        run_training(job)
        if main:
            save_description(job.folder, job.plan, job.statistics)


def _with_splits(dataset: Dataset, area: str | None) -> Dataset:
    """Return a data set with fixed splits: itself, or the fold of an area."""
    if area is not None:
        return dataset.fold(area)
    if dataset.spec.areas:
        areas = ", ".join(dataset.spec.areas)
        raise ConfigError("areas", areas, "one to leave out of this training", "Name it with --area.")
    return dataset


def _prepare(dataset: Dataset, folder: Path, configs: Sequence[Path], method: str, seed: int) -> TrainingJob:
    dataset.require_root()
    config = load_project(*configs)
    require_method(config, method)
    plan = plan_run(config, dataset, method, seed)
    Group.current().share(plan.training.batch, plan.training.accumulate)  # raise before the long preparation
    lacking = {method: [task for task in config.methods[method].tasks if task not in plan.tasks]}
    for note in truth_notes(lacking, [method], dataset.name):
        log.info("%s", note)
    pretrained = _pretrained(config, plan.model, folder)
    unpack_pending(dataset.archives)
    report = check_dataset(dataset)
    if not report.ok:
        raise DataError(dataset.root, "\n" + summary(report), "a sound data set", "Mend what is listed as errors.")
    splits: tuple[Split, ...] = ("train", "val")
    tiles = {split: _tile_folders(dataset, split, folder / "tiles") for split in splits}
    for path in track([*tiles["train"], *tiles["val"]], sum(map(len, tiles.values())), "preparing", "tile"):
        prepare_tile(dataset, path.name, path)
    statistics = summarise(dataset, tiles["train"])
    return TrainingJob(
        plan=plan,
        statistics=statistics,
        training_tiles=tiles["train"],
        validation_tiles=tiles["val"],
        folder=folder,
        pretrained=pretrained,
        dashboard=config.dashboard,
    )


def _tile_folders(dataset: Dataset, split: Split, parent: Path) -> tuple[Path, ...]:
    return tuple(parent / tile for tile in dataset.spec.splits.get(split, ()))


def _pretrained(config: ProjectConfig, model: ModelSpec, folder: Path) -> Path | None:
    """Return the pretrained weights of a model, fetched once per run; None without any."""
    if model.pretrained == "none":
        return None
    path = folder / "pretrained" / f"{model.pretrained}.safetensors"
    if not path.exists():
        fetch_pretrained(model.pretrained, config.pretrained[model.pretrained], path)
    return path
