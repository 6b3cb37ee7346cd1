"""Import of a checkpoint of the original implementation as a run that predicts."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import TASKS, DatasetSpec, Recipe, Task, WeightingSpec, load_dataset, merge
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.original.checkpoint import OriginalCheckpoint
from mtlaerial.models.original.untrusted import read_checkpoint
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import save_description
from mtlaerial.runs.weights import DESCRIPTION, WEIGHTS, Provenance, save_run_weights
from mtlaerial.system.hashing import file_hashes
from mtlaerial.tiles.statistics import without_tiles

METHOD = "original"
"""Name of the method of imported runs."""
IMAGES = "uint8", (0.0, 255.0)
"""Dtype of the images that the original reads, and the range of values that it scales to [-1, 1]."""
_LAST = "heads.semantics.last.weight"


def import_checkpoint(
    checkpoint: Path,
    spec: Path,
    folder: Path,
    tasks: Sequence[Task] | None = None,
    channels: Sequence[int] | None = None,
    height_unit: float | None = None,
    dropout: float = 0.5,
) -> None:
    """Write ``model.safetensors`` and ``run.yaml`` from weights that the original trained.

    Parameters
    ----------
    checkpoint : Path
        A ``.pth.tar`` of the original; no code in it is executed.
    spec : Path
        The specification of the data set it was trained on: its bands, GSD and classes.
    folder : Path
        The run's folder.
    tasks : sequence of Task, optional
        The original's tasks in its order; by default an output of one channel is height, one of more semantics.
    channels : sequence of int, optional
        The output channel of each class, counted from 0, in the order of the specification. By default all in their
        order, without channel 0 (the original's unlabelled) where there is one more than classes.
    height_unit : float, optional
        Metres per unit of the height output; by default as the data set's recipe says.
    dropout : float
        The dropout rate of its training, which the weights do not contain; only passes with dropout depend on it.

    Raises
    ------
    ConfigError, DataError
        When the checkpoint is not one of the original's or does not match the specification, or the folder has a run.
    """
    if (folder / DESCRIPTION).exists() or (folder / WEIGHTS).exists():
        raise DataError(folder, "a run", "a folder without one", "Choose another folder.")
    dataset = load_dataset(spec)
    original = OriginalCheckpoint.of(read_checkpoint(checkpoint).state, checkpoint, dropout)
    _require_images(original, dataset, spec)
    order = _tasks(original.outputs, tasks)
    weights = original.weights(order)
    if "semantics" in order:
        weights[_LAST] = weights[_LAST][_channels(len(weights[_LAST]), dataset, spec, channels)]
    plan = _plan(spec, order, original, _recipe(dataset, spec, height_unit))
    statistics = without_tiles(spec.stem, dataset, _gsd(dataset, spec), IMAGES[0])
    source = f"{checkpoint.name}, SHA-256 {file_hashes(checkpoint, 'sha256')['sha256']}"
    save_run_weights(folder, Provenance(code=code_hash("import"), epoch=0, imported=source), weights, {})
    save_description(folder, plan, statistics)


def named_tasks(text: str) -> list[Task]:
    """Return the tasks of a text such as ``depth,semantics``; depth is the original's name of height.

    Raises
    ------
    ConfigError
        When a task is unknown or repeated.

    Examples
    --------
    >>> named_tasks("depth,semantics")
    ['height', 'semantics']
    """
    task_of: dict[str, Task] = {"depth": "height", "height": "height", "semantics": "semantics"}
    names = [name.strip() for name in text.split(",")]
    tasks = [task_of[name] for name in names if name in task_of]
    if len(set(tasks)) < len(names):
        remedy = "For example --tasks depth,semantics."
        raise ConfigError("--tasks", text, "depth, semantics or both, each once", remedy)
    return tasks


def _plan(spec: Path, tasks: Sequence[Task], original: OriginalCheckpoint, recipe: Recipe) -> RunPlan:
    return RunPlan(
        dataset=spec.stem,
        method=METHOD,
        seed=0,
        tasks=tuple(task for task in TASKS if task in tasks),
        weighting=WeightingSpec(),
        model=original.model,
        training=recipe.training,
        prediction=recipe.prediction,
    )


def _require_images(original: OriginalCheckpoint, dataset: DatasetSpec, spec: Path) -> None:
    image = dataset.image
    if len(image.bands) != original.bands:
        remedy = "Name the data set that the checkpoint was trained on."
        raise ConfigError(f"{spec}, key image.bands", f"{len(image.bands)}", f"{original.bands} bands", remedy)
    if image.range != IMAGES[1]:
        low, high = IMAGES[1]
        expected = f"[{low:g}, {high:g}], as the original scales images"
        remedy = "Correct it in a copy of the specification."
        raise ConfigError(f"{spec}, key image.range", f"{list(image.range)}", expected, remedy)


def _tasks(outputs: Sequence[int], named: Sequence[Task] | None) -> tuple[Task, ...]:
    """Return the task of each output, in the outputs' order: as named, else by the numbers of channels."""
    sizes = " and ".join(map(str, outputs))
    if named is not None:
        height_channels = [size for task, size in zip(named, outputs, strict=False) if task == "height"]
        if len(named) != len(outputs) or any(size > 1 for size in height_channels):
            expected = f"as many as the checkpoint's outputs, which have {sizes} channels, height with one"
            raise ConfigError("--tasks", ", ".join(named), expected, "Name them in the order of the outputs.")
        return tuple(named)
    guessed = tuple(_guessed_task(size) for size in outputs)
    if len(set(guessed)) < len(guessed):
        remedy = "Say it, e.g. --tasks depth,semantics."
        raise ConfigError("--tasks", "nothing", f"which of the outputs of {sizes} channels is which task", remedy)
    return guessed


def _guessed_task(channels: int) -> Task:
    return "height" if channels == 1 else "semantics"


def _channels(outputs: int, dataset: DatasetSpec, spec: Path, named: Sequence[int] | None) -> list[int]:
    """Return the output channel of each class."""
    classes = len(dataset.labels.classes) if dataset.labels else 0
    if named is None and classes and outputs - classes in (0, 1):
        return list(range(outputs - classes, outputs))
    if named is None or not classes:
        expected = f"{outputs} or {outputs - 1}, as the checkpoint has {outputs} channels"
        remedy = "Name another specification, or say with --channels which channel is which class."
        raise ConfigError(f"{spec}, key labels.classes", f"{classes} classes", expected, remedy)
    if len(named) != classes or len(set(named)) != classes or not set(named) <= set(range(outputs)):
        expected = f"a channel from 0 to {outputs - 1} for each of the {classes} classes of {spec}"
        remedy = "Name each once, in the classes' order."
        raise ConfigError("--channels", ", ".join(map(str, named)), expected, remedy)
    return list(named)


def _recipe(dataset: DatasetSpec, spec: Path, height_unit: float | None) -> Recipe:
    """Return the data set's recipe, of which prediction uses the unit of heights and the section ``prediction``."""
    overrides = {} if height_unit is None else {"training": {"height_unit": height_unit}}
    return Recipe.parse(merge(dataset.recipe, overrides), f"{spec}, recipe")


def _gsd(dataset: DatasetSpec, spec: Path) -> float:
    if dataset.gsd is None:
        remedy = "Say it in the specification."
        raise ConfigError(f"{spec}, key gsd", "nothing", "the images' metres per pixel", remedy)
    return dataset.gsd
