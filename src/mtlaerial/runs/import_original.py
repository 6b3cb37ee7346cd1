"""A checkpoint of the original implementation as a run that predicts."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import TASKS, DatasetSpec, Recipe, Task, TrainingSpec, WeightingSpec, load_dataset, merge
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.original.checkpoint import OriginalCheckpoint
from mtlaerial.models.original.untrusted import read_state
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.plan import RunPlan
from mtlaerial.runs.run import Provenance, save_description, save_run_weights
from mtlaerial.system.hashing import file_hashes
from mtlaerial.tiles.statistics import specified

METHOD = "original"
"""What stands for the method of an imported run."""
IMAGES = "uint8", (0.0, 255.0)
"""The images that the original reads: their dtype, and the values it scales to [-1, 1]."""
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
    """Write ``run.yaml`` and ``model.safetensors`` from weights that the original trained.

    Parameters
    ----------
    checkpoint : Path
        A ``.pth.tar`` of the original; no code in it is run.
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
        The rate it was trained with, which no weights tell; maps do not depend on it, only passes with dropout do.

    Raises
    ------
    ConfigError, DataError
        When the checkpoint is not one of the original's or does not fit the specification, or the folder has a run.
    """
    if (folder / "run.yaml").exists():
        raise DataError(folder, "a run", "a folder without one", "Choose another folder.")
    dataset = load_dataset(spec)
    original = OriginalCheckpoint.of(read_state(checkpoint), checkpoint, dropout)
    _require_images(original, dataset, spec)
    order = _tasks(original.outputs, tasks)
    weights = original.weights(order)
    if "semantics" in order:
        weights[_LAST] = weights[_LAST][_channels(len(weights[_LAST]), dataset, spec, channels)]
    plan = RunPlan(
        dataset=spec.stem,
        method=METHOD,
        seed=0,
        tasks=tuple(task for task in TASKS if task in order),
        weighting=WeightingSpec(),
        model=original.model,
        training=_training(dataset, spec, height_unit),
    )
    statistics = specified(spec.stem, dataset, _gsd(dataset, spec), IMAGES[0])
    source = f"{checkpoint.name}, SHA-256 {file_hashes(checkpoint, 'sha256')['sha256']}"
    save_run_weights(folder, Provenance(code=code_hash("import"), epoch=0, imported=source), weights, {})
    save_description(folder, plan, statistics)


def named_tasks(text: str) -> list[Task]:
    """Return the tasks of a text such as ``depth,semantics``; the original says depth for height.

    Raises
    ------
    ConfigError
        When it names others, or one twice.
    """
    known: dict[str, Task] = {"depth": "height", "height": "height", "semantics": "semantics"}
    names = [name.strip() for name in text.split(",")]
    tasks = [known[name] for name in names if name in known]
    if len(set(tasks)) < len(names):
        remedy = "For example --tasks depth,semantics."
        raise ConfigError("--tasks", text, "depth, semantics or both, each once", remedy)
    return tasks


def _require_images(original: OriginalCheckpoint, dataset: DatasetSpec, spec: Path) -> None:
    image = dataset.image
    if len(image.bands) != original.bands:
        remedy = "Name the data set that the checkpoint was trained on."
        raise ConfigError(f"{spec}, key image.bands", f"{len(image.bands)}", f"{original.bands} bands", remedy)
    if image.range != IMAGES[1]:
        low, high = IMAGES[1]
        found, expected = f"{list(image.range)}", f"[{low:g}, {high:g}], as the original scales images"
        raise ConfigError(f"{spec}, key image.range", found, expected, "Correct it in a copy of the specification.")


def _tasks(outputs: Sequence[int], said: Sequence[Task] | None) -> tuple[Task, ...]:
    """Return the tasks of the outputs, in their order: as said, else by the numbers of channels."""
    sizes = " and ".join(map(str, outputs))
    if said is not None:
        if len(said) != len(outputs) or any(n > 1 for task, n in zip(said, outputs, strict=True) if task == "height"):
            expected = f"as many as the checkpoint's outputs, which have {sizes} channels, height with one"
            raise ConfigError("--tasks", ", ".join(said), expected, "Name them in the order of the outputs.")
        return tuple(said)
    guessed: tuple[Task, ...] = tuple("height" if n == 1 else "semantics" for n in outputs)
    if len(set(guessed)) < len(guessed):
        remedy = "Say it, e.g. --tasks depth,semantics."
        raise ConfigError("--tasks", "nothing", f"which of the outputs of {sizes} channels is which task", remedy)
    return guessed


def _channels(outputs: int, dataset: DatasetSpec, spec: Path, said: Sequence[int] | None) -> list[int]:
    """Return the output channel of each class."""
    classes = len(dataset.labels.classes) if dataset.labels else 0
    if said is None and classes and outputs - classes in (0, 1):
        return list(range(outputs - classes, outputs))
    if said is None or not classes:
        found, expected = f"{classes} classes", f"{outputs} or {outputs - 1}, as the checkpoint has {outputs} channels"
        remedy = "Name another specification, or say with --channels which channel is which class."
        raise ConfigError(f"{spec}, key labels.classes", found, expected, remedy)
    if len(said) != classes or len(set(said)) != classes or not set(said) <= set(range(outputs)):
        expected = f"a channel from 0 to {outputs - 1} for each of the {classes} classes of {spec}"
        raise ConfigError("--channels", ", ".join(map(str, said)), expected, "Name each once, in the classes' order.")
    return list(said)


def _training(dataset: DatasetSpec, spec: Path, height_unit: float | None) -> TrainingSpec:
    """Return what prediction needs to know of the training: the patch's size, and the unit of heights."""
    said = {} if height_unit is None else {"training": {"height_unit": height_unit}}
    return Recipe.parse(merge(dataset.recipe, said), f"{spec}, recipe").training


def _gsd(dataset: DatasetSpec, spec: Path) -> float:
    if dataset.gsd is None:
        remedy = "Say it in the specification."
        raise ConfigError(f"{spec}, key gsd", "nothing", "the images' metres per pixel", remedy)
    return dataset.gsd
