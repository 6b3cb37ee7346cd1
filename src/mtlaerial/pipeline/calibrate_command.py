"""Calibration of a run without Snakemake: check, prepare and predict the validation tiles of a data set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mtlaerial.calibration.record import Calibration
from mtlaerial.config import Recipe, load_project
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.config.option_faults import named_by_options
from mtlaerial.config.prediction import Blend
from mtlaerial.config.recipe_in_force import recipe_in_force
from mtlaerial.datasets.catalog import Dataset
from mtlaerial.errors import ConfigError
from mtlaerial.pipeline.calibrate_run import calibrate_run
from mtlaerial.pipeline.configured_entry import configured_entry
from mtlaerial.pipeline.fitting_data import require_images, require_same_input, require_truth
from mtlaerial.pipeline.prepared_tiles import prepared_tiles
from mtlaerial.pipeline.sound_data import require_sound
from mtlaerial.runs.run import RunDescription, load_description


def calibrate_on(
    folder: Path,
    spec: Path,
    root: Path,
    name: str = "",
    tiles: Path | None = None,
    configs: Sequence[Path] = (),
    cell: float | None = None,
    blend: Blend | None = None,
) -> Calibration:
    """Calibrate a run on the validation tiles of a data set; its test tiles are not read.

    The tiles are those of ``splits.val``; where there are none, those of the data set that validated the training.

    Parameters
    ----------
    folder : Path
        The run's or the ensemble's.
    spec, root : Path
        The data set: the run's own, or another one with the same bands, pixel size and classes.
    name : str, optional
        The data set's name in the configuration; by default the stem of ``spec``.
    tiles : Path, optional
        Folder of prepared tiles that runs share; by default ``folder/tiles``.
    configs : sequence of Path, optional
        Configuration and overlays, whose sections ``calibration``, ``objects`` and ``scoring`` count.
    cell : float, optional
        Least side of a calibration cell in metres, instead of that of the configuration.
    blend : Blend, optional
        Windows of the maps that it is to hold for; by default those that the run was scored with.

    Raises
    ------
    UserError
        When there are no validation tiles, or the run was trained on one, or run and data set do not match.
    """
    run, described = load_description(folder), Dataset.of(spec, root, name)
    areas = described.spec.fold_areas(described.name)
    dataset = described.fold(areas[run.plan.dataset]) if run.plan.dataset in areas else described
    dataset.require_root()
    require_same_input(folder, run.statistics, dataset.spec, spec)
    require_truth(folder, run, dataset, spec)
    names = _validation_tiles(folder, run, dataset, spec)
    calibration, objects, recipe = _settings(run, described, spec, configs)
    if cell:
        with named_by_options("cell"):
            calibration = CalibrationSpec.parse({**calibration.model_dump(), "cell": cell}, "calibrate")
    # Files of other tiles may be missing.
    require_sound(replace(dataset, spec=dataset.spec.model_copy(update={"splits": {"val": names}, "areas": {}})))
    folders = prepared_tiles(dataset, names, tiles or folder / "tiles", shared=tiles is not None)
    require_images(folder, run, folders, dataset.spec.gsd)
    prediction = run.plan.prediction.blended(blend)
    return calibrate_run(folder, folders, calibration, prediction, recipe.scoring.height_bins, objects)


def _validation_tiles(folder: Path, run: RunDescription, dataset: Dataset, spec: Path) -> tuple[str, ...]:
    listed = dataset.spec.splits.get("val", ())
    validated = dict.fromkeys(tile for network in run.networks for tile in network.validation or {})
    test = dataset.spec.splits.get("test", ())
    names = listed or tuple(tile for tile in validated if tile in dataset.spec.tiles and tile not in test)
    if not names:
        expected = f"at least one: the calibration of {folder} needs tiles that it has not seen"
        raise ConfigError(
            f"{spec}, key splits.val", "no validation tiles", expected, "List some, which are not tested."
        )
    return names


def _settings(
    run: RunDescription, dataset: Dataset, spec: Path, configs: Sequence[Path]
) -> tuple[CalibrationSpec, ObjectsSpec | None, Recipe]:
    """Return the sections ``calibration`` and ``objects``, and the recipe in force for the run's method.

    Objects are those of a configuration, else buildings where there is a class of that name.
    """
    default = ObjectsSpec()
    objects = default if set(default.classes) <= {entry.name for entry in run.statistics.classes} else None
    if not configs:
        return CalibrationSpec(), objects, Recipe.parse(dataset.spec.recipe, f"{spec}, recipe")
    config = load_project(*configs)
    method = run.plan.method if run.plan.method in config.methods else None
    recipe = recipe_in_force(config, dataset.spec.recipe, method, configured_entry(config, dataset.name))
    return config.calibration or CalibrationSpec(), config.objects or objects, recipe
