"""Calibration of a run: its validation tiles are predicted, and compared with their ground truth."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mtlaerial.calibration.record import Calibration
from mtlaerial.config import PredictionSpec, Task, task_entry
from mtlaerial.config.calibration import CalibrationSpec
from mtlaerial.config.objects import ObjectsSpec
from mtlaerial.config.prediction import ClassLayer
from mtlaerial.config.predictors import predictor_name
from mtlaerial.errors import DataError
from mtlaerial.objects.map_calibration import ObjectMapCalibration
from mtlaerial.pipeline.seen_tiles import trained_on
from mtlaerial.prediction.predictor import Predictor
from mtlaerial.runs.calibration_file import save_calibration
from mtlaerial.runs.run import RunDescription, load_description
from mtlaerial.runs.seen_ground import run_ground_notes
from mtlaerial.scoring.map_calibration import ClassMapCalibration, HeightMapCalibration
from mtlaerial.system.files import writable
from mtlaerial.tiles.record import image_hash, verify_tiles

log = logging.getLogger(__name__)


def calibrate_run(
    folder: Path,
    tiles: Sequence[Path],
    spec: CalibrationSpec,
    prediction: PredictionSpec,
    bins: Sequence[float],
    objects: ObjectsSpec | None = None,
) -> Calibration:
    """Calibrate a run or an ensemble on validation tiles, and write ``calibration.json`` into its folder.

    The maps lie in a temporary folder in that of the run, one tile at a time.

    Parameters
    ----------
    folder : Path
        The run's.
    tiles : sequence of Path
        Folders of the prepared validation tiles; test tiles must not be among them.
    spec : CalibrationSpec
    prediction : PredictionSpec
        Settings that the run is scored with.
    bins : sequence of float
        Inner edges in metres of the bins of predicted height.
    objects : ObjectsSpec, optional
        Objects whose heights are calibrated too, where the run has both tasks and the classes.

    Raises
    ------
    ConfigError, DataError
        When the run was trained on one of the tiles, a tile is damaged, or the networks cannot serve the prediction.
    """
    verify_tiles(tiles, ["height", "labels"])
    run = load_description(folder)
    _require_unseen(folder, run, tiles)
    ground = run_ground_notes(run, tiles, "validation", elsewhere=False)
    classes, heights = _empty_parts(run, spec, prediction, bins)
    of_objects = _empty_objects(run, objects)
    _add_tiles(folder, tiles, prediction, [*classes.values(), *heights.values(), *of_objects])
    temperatures = {task: result for task, part in classes.items() if (result := part.result())}
    intervals = {task: factors for task, part in heights.items() if (factors := part.result())}
    remarks = [*_truth_remarks(run, {*temperatures, *intervals}), *_selection_remarks(run, tiles), *ground]
    calibration = Calibration(
        run=run.sha256,
        predictor=predictor_name(prediction, len(run.networks)),
        prediction=prediction,
        tiles={tile.name: image_hash(tile) for tile in tiles},
        classes=temperatures,
        heights=intervals,
        objects={name: part for each in of_objects for name, part in each.result().items()},
        remarks=(*remarks, *_object_remarks(run, objects, of_objects)),
    )
    for note in calibration.notes:
        log.warning("%s: %s", run.name, note)
    save_calibration(folder, calibration)
    return calibration


def _empty_parts(
    run: RunDescription, spec: CalibrationSpec, prediction: PredictionSpec, bins: Sequence[float]
) -> tuple[dict[Task, ClassMapCalibration], dict[Task, HeightMapCalibration]]:
    """Return the calibrations of a run's tasks of classes and of heights, to which tiles are to be added."""
    classes: dict[Task, ClassMapCalibration] = {}
    heights: dict[Task, HeightMapCalibration] = {}
    for task in run.plan.tasks:
        entry = task_entry(task)
        if entry.metrics == "classes":
            classes[task] = ClassMapCalibration(entry, spec)
        else:
            heights[task] = HeightMapCalibration(entry, spec, bins, bool(prediction.spread_sources))
    return classes, heights


def _empty_objects(run: RunDescription, spec: ObjectsSpec | None) -> list[ObjectMapCalibration]:
    """Return the calibration of objects; none where it is not asked for, or the maps have no such objects."""
    if spec is None or not {"semantics", "height"} <= set(run.plan.tasks) or _lacking_classes(run, spec):
        return []
    return [ObjectMapCalibration(task_entry("height"), spec)]


def _lacking_classes(run: RunDescription, spec: ObjectsSpec) -> list[str]:
    named = {entry.name for entry in run.statistics.classes}
    return [name for name in spec.classes if name not in named]


def _object_remarks(run: RunDescription, spec: ObjectsSpec | None, parts: Sequence[ObjectMapCalibration]) -> list[str]:
    """Return sentences on classes that the run lacks, and on tiles whose objects cannot be told."""
    lacking = _lacking_classes(run, spec) if spec else []
    absent = [f"No calibration of objects: the run has no class {', '.join(lacking)}."] if lacking else []
    return absent + [remark for part in parts for remark in part.remarks]


def _add_tiles(
    folder: Path,
    tiles: Sequence[Path],
    prediction: PredictionSpec,
    parts: Sequence[ClassMapCalibration | HeightMapCalibration | ObjectMapCalibration],
) -> None:
    """Predict each tile into a temporary folder, and add its maps to the calibrations."""
    of_classes = any(isinstance(part, ClassMapCalibration) for part in parts)
    layers: tuple[ClassLayer, ...] = ("probabilities",) if of_classes else ()
    predictor = Predictor(folder, prediction.model_copy(update={"layers": layers, "image_maps": False}))
    for tile in tiles:
        with writable(folder), TemporaryDirectory(prefix=".calibration-", dir=folder) as maps:
            predictor.predict_tiles([tile], Path(maps))
            for part in parts:
                part.add(Path(maps) / tile.name, tile)


def _require_unseen(folder: Path, run: RunDescription, tiles: Sequence[Path]) -> None:
    for tile in tiles:
        if name := trained_on(run, tile):
            observed = f"a validation tile that {folder} was trained on, as {name}"
            remedy = "Take it out of splits.val, or calibrate another run."
            raise DataError(tile.name, observed, "tiles that the run has not seen", remedy)


def _truth_remarks(run: RunDescription, calibrated: Collection[Task]) -> list[str]:
    """Return a sentence on each task that no validation tile has the truth of."""
    absent = [task for task in run.plan.tasks if task not in calibrated]
    return [f"No calibration of {task}: no validation tile has its truth." for task in absent]


def _selection_remarks(run: RunDescription, tiles: Sequence[Path]) -> list[str]:
    """Return a sentence on tiles by which the weights were chosen, and which they fit better than new ones."""
    selected = [network for network in run.networks if network.plan.training.selection == "best"]
    chosen_by = {digest for network in selected for digest in (network.validation or {}).values()}
    if not any(image_hash(tile) in chosen_by for tile in tiles):
        return []
    return [
        "The same tiles chose the weights (training.selection: best), which fit them better than new ones: intervals "
        "may be too narrow."
    ]
