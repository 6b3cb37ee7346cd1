"""One run without Snakemake: check, prepare, summarise, train."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import ModelSpec, ProjectConfig, load_project
from mtlaerial.config.project import require_tasks
from mtlaerial.datasets.archives import unpack_pending
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.datasets.check import check_dataset, summary
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.pretrained import fetch_pretrained
from mtlaerial.progress import track
from mtlaerial.runs import RunPlan
from mtlaerial.statistics import summarise
from mtlaerial.tiling import prepare_tile
from mtlaerial.training import train


def train_single(spec: Path, root: Path, folder: Path, configs: Sequence[Path], method: str, seed: int) -> None:
    """Train one method with one seed on one data set; fetch the weights its model begins with, if it does.

    Parameters
    ----------
    spec, root : Path
        The data set.
    folder : Path
        The run's folder; prepared tiles go to ``folder/tiles``.
    configs : sequence of Path
        Configuration and overlays.
    method : str
    seed : int

    Raises
    ------
    UserError
        When anything of this is not as it should be.
    """
    dataset = Dataset.of(spec, root)
    config = load_project(*configs)
    if method not in config.methods:
        raise ConfigError(
            "--method", method, f"one of {', '.join(config.methods)}", "Name a method of the configuration."
        )
    entry = config.methods[method]
    training, model = config.recipe(dataset.spec.recipe, method).training, config.models[entry.model]
    pretrained = _pretrained(config, model, folder)
    unpack_pending(dataset.archives)
    report = check_dataset(dataset)
    if not report.ok:
        raise DataError(root, "\n" + summary(report), "a sound data set", "Mend what is listed as errors.")
    tiles = {
        split: [folder / "tiles" / tile for tile in dataset.spec.splits.get(split, ())] for split in ("train", "val")
    }
    for path in track([*tiles["train"], *tiles["val"]], sum(map(len, tiles.values())), "preparing", "tile"):
        prepare_tile(dataset, path.name, path)
    plan = RunPlan(
        dataset=dataset.name,
        method=method,
        seed=seed,
        tasks=require_tasks(method, entry.tasks, dataset.tasks, dataset.name),
        weighting=entry.weighting,
        model=model,
        training=training,
    )
    statistics = summarise(dataset, tiles["train"])
    train(plan, statistics, tiles["train"], tiles["val"], folder, pretrained=pretrained)


def _pretrained(config: ProjectConfig, model: ModelSpec, folder: Path) -> Path | None:
    """Return the weights that a model begins with, fetched once per run."""
    if model.pretrained == "none":
        return None
    path = folder / "pretrained" / f"{model.pretrained}.safetensors"
    if not path.exists():
        fetch_pretrained(model.pretrained, config.pretrained[model.pretrained], path)
    return path
