"""Calibration of objects' heights that holds for some maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlaerial.calibration.record import ObjectCalibration
from mtlaerial.config.calibration import settings_id
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.objects.region import CLASSES
from mtlaerial.rasters.geotiff import open_raster
from mtlaerial.runs.calibration_file import COMMAND, REMEDY, load_calibration, unfit_text
from mtlaerial.runs.run import load_description


def object_calibration(folder: Path, maps: Sequence[Path]) -> Mapping[str, ObjectCalibration]:
    """Return the calibration of objects' heights of a run, by class, for maps that it made.

    Parameters
    ----------
    folder : Path
        The run's.
    maps : sequence of Path
        Folders of maps.

    Raises
    ------
    UserError
        When the run has no calibration of objects, or maps are of another run or of other settings than those that
        were calibrated.
    """
    run, calibration = load_description(folder), load_calibration(folder)
    if calibration is None or not calibration.objects:
        found = "no calibration" if calibration is None else "a calibration without objects"
        raise DataError(folder, found, "a run whose objects are calibrated", f"Calibrate it: {COMMAND}.")
    if difference := unfit_text(calibration, run, calibration.prediction):
        raise DataError(folder, f"a calibration that was {difference}", "that of the run", REMEDY)
    expected = {"RUN_ID": run.sha256, "PREDICTION_ID": settings_id(calibration.prediction)}
    for each in maps:
        path = each / f"{CLASSES}.tif"
        with open_raster(path) as source:
            tags = source.tags()
        if tags.get("RUN_ID") != expected["RUN_ID"]:
            found = f"a map by {tags.get('RUN', 'no run')}"
            raise MismatchError(path, found, f"one by {folder}", "Give the run that made the maps.")
        if tags.get("PREDICTION_ID") != expected["PREDICTION_ID"]:
            remedy = "Predict without options that change how the run was scored."
            raise MismatchError(path, "a map of other settings", "those that the run is calibrated for", remedy)
    return calibration.objects
