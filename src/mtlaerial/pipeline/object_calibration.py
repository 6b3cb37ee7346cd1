"""Calibration of objects' heights that holds for some maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlaerial.calibration.record import Calibration, ObjectCalibration
from mtlaerial.config.calibration import calibrated_settings_id
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.maps.map_folder import CLASSES, layer_file
from mtlaerial.objects.interval import joined
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.calibration_file import COMMAND, REMEDY, load_calibration, unfit_text
from mtlaerial.runs.run import RunDescription, load_description


def object_calibration(folders: Sequence[Path], maps: Sequence[Path]) -> Mapping[str, ObjectCalibration]:
    """Return the calibration of objects' heights by class, for maps of a run.

    Parameters
    ----------
    folders : sequence of Path
        The run, or those of one method on the folds of a data set: each was calibrated on tiles that it had not seen,
        and the errors of all are joined.
    maps : sequence of Path
        Folders of maps, each by one of the runs.

    Raises
    ------
    UserError
        When a run has no calibration of objects, the runs do not belong together, or maps are of another run or of
        other settings than those that were calibrated.
    """
    runs = {folder: load_description(folder) for folder in folders}
    calibrations = {folder: _calibration_of(folder, run) for folder, run in runs.items()}
    _require_folds(runs, calibrations)
    settings = {run.sha256: calibrated_settings_id(calibrations[folder].prediction) for folder, run in runs.items()}
    for each in maps:
        _require_maps(layer_file(each, CLASSES), folders, settings)
    names = dict.fromkeys(name for calibration in calibrations.values() for name in calibration.objects)
    parts = {name: [each.objects[name] for each in calibrations.values() if name in each.objects] for name in names}
    return {name: joined(of_class) for name, of_class in parts.items()}


def _calibration_of(folder: Path, run: RunDescription) -> Calibration:
    calibration = load_calibration(folder)
    if calibration is None or not calibration.objects:
        observed = "no calibration" if calibration is None else "a calibration without objects"
        raise DataError(folder, observed, "a run whose objects are calibrated", f"Calibrate it: {COMMAND}.")
    if difference := unfit_text(calibration, run, calibration.prediction):
        raise DataError(folder, f"a calibration that was {difference}", "that of the run", REMEDY)
    return calibration


def _require_folds(runs: Mapping[Path, RunDescription], calibrations: Mapping[Path, Calibration]) -> None:
    """Refuse runs of different methods or settings, and a tile that two calibrations were made from."""
    (first, reference), *_ = calibrations.items()
    seen: dict[str, Path] = {}
    for folder, calibration in calibrations.items():
        alike = calibrated_settings_id(calibration.prediction) == calibrated_settings_id(reference.prediction)
        if not alike or runs[folder].plan.method != runs[first].plan.method:
            observed = f"the method {runs[folder].plan.method}" if alike else "other settings of maps"
            raise MismatchError(folder, observed, f"those of {first}", "Join the runs of one method on several folds.")
        for tile, digest in calibration.tiles.items():
            if digest in seen:
                observed = f"the validation tile {tile}, which {seen[digest]} has too"
                raise MismatchError(folder, observed, "each object once", "Leave out one of the runs.")
            seen[digest] = folder


def _require_maps(path: Path, folders: Sequence[Path], settings: Mapping[str, str]) -> None:
    """Refuse a map that none of the runs made, or that was made with other settings than it is calibrated for."""
    with open_raster(path) as source:
        tags = source.tags()
    if tags.get("RUN_ID") not in settings:
        expected = f"one by {' or '.join(map(str, folders))}"
        raise MismatchError(path, f"a map by {tags.get('RUN', 'no run')}", expected, "Give the run that made the maps.")
    if tags.get("PREDICTION_ID") != settings[tags["RUN_ID"]]:
        remedy = "Predict without options that change how the run was scored."
        raise MismatchError(path, "a map of other settings", "those that the run is calibrated for", remedy)
