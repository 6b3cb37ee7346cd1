"""Import of a checkpoint of the original implementation as a run that predicts."""

from collections.abc import Sequence
from pathlib import Path

from mtlaerial.config import TASKS, DatasetSpec, Recipe, Task, TrainingSpec, WeightingSpec, load_dataset, merge
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.models.original.checkpoint import OriginalCheckpoint
from mtlaerial.models.original.untrusted import Facts, read_checkpoint
from mtlaerial.runs.code_hash import code_hash
from mtlaerial.runs.imported import Original
from mtlaerial.runs.original_outputs import channels_of, tasks_of
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
        The original's tasks in its order; by default as the checkpoint says, else an output of one channel is height,
        one of more semantics.
    channels : sequence of int, optional
        The output channel of each class, counted from 0, in the order of the specification. By default that of its
        code, without channel 0 (the original's unlabelled) where there is one more than classes.
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
    content = read_checkpoint(checkpoint)
    original = OriginalCheckpoint.of(content.state, checkpoint, dropout)
    _require_images(original, dataset, spec)
    _require_stated_skips(original, content.facts)
    order = tasks_of(original.outputs, tasks, content.facts.get("tasks"))
    weights = original.weights(order)
    class_channels: tuple[int, ...] = ()
    if "semantics" in order:
        class_channels = channels_of(len(weights[_LAST]), dataset, spec, channels)
        weights[_LAST] = weights[_LAST][list(class_channels)]
    plan = _plan(spec, order, original, _recipe(dataset, spec, height_unit))
    statistics = without_tiles(spec.stem, dataset, _gsd(dataset, spec), IMAGES[0])
    source = f"{checkpoint.name}, SHA-256 {file_hashes(checkpoint, 'sha256')['sha256']}"
    facts = Original(checkpoint=content.facts, channels=class_channels)
    save_run_weights(
        folder, Provenance(code=code_hash("import"), epoch=0, imported=source, original=facts), weights, {}
    )
    save_description(folder, plan, statistics)


def _plan(spec: Path, tasks: Sequence[Task], original: OriginalCheckpoint, recipe: Recipe) -> RunPlan:
    return RunPlan(
        dataset=spec.stem,
        method=METHOD,
        seed=0,
        tasks=tuple(task for task in TASKS if task in tasks),
        weighting=WeightingSpec(),
        model=original.model,
        # Nothing else of the data set's recipe is of this network, whose heights are those of a linear head.
        training=TrainingSpec(height_unit=recipe.training.height_unit),
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


def _require_stated_skips(original: OriginalCheckpoint, facts: Facts) -> None:
    """Refuse a checkpoint whose value ``use_skips`` is not that of its weights."""
    stated = facts.get("use_skips")
    if isinstance(stated, bool) and stated != original.model.skips:
        expected = f"use_skips {original.model.skips}, as its weights have {'some' if original.model.skips else 'none'}"
        remedy = "Get the file anew: its parts are of two networks."
        raise DataError(original.where, f"use_skips {stated}", expected, remedy)


def _recipe(dataset: DatasetSpec, spec: Path, height_unit: float | None) -> Recipe:
    """Return the data set's recipe, of which prediction uses the unit of heights and the section ``prediction``."""
    overrides = {} if height_unit is None else {"training": {"height_unit": height_unit}}
    return Recipe.parse(merge(dataset.recipe, overrides), f"{spec}, recipe")


def _gsd(dataset: DatasetSpec, spec: Path) -> float:
    if dataset.gsd is None:
        remedy = "Say it in the specification."
        raise ConfigError(f"{spec}, key gsd", "nothing", "the images' metres per pixel", remedy)
    return dataset.gsd
