"""Calibration of a run as a file in its folder, bound to its weights and to the settings of its maps."""

import json
from pathlib import Path

from mtlaerial.calibration.record import Calibration, parse_calibration
from mtlaerial.calibration.text import calibration_lines
from mtlaerial.config import PredictionSpec
from mtlaerial.config.calibration import setting_differences
from mtlaerial.errors import DataError
from mtlaerial.runs.run import RunDescription
from mtlaerial.system.files import write_text

CALIBRATION = "calibration.json"
COMMAND = "mtlaerial calibrate RUN_DIR DATASET.yaml --root DIR"
REMEDY = f"Calibrate the run again: {COMMAND}."


def save_calibration(folder: Path, calibration: Calibration) -> None:
    """Write the calibration of a run into its folder."""
    write_text(folder / CALIBRATION, calibration.model_dump_json(indent=1) + "\n")


def load_calibration(folder: Path) -> Calibration | None:
    """Return the calibration in a run's folder; None without one.

    Raises
    ------
    ConfigError, DataError
        When the file is damaged, or of another format.
    """
    path = folder / CALIBRATION
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, f"a damaged file ({error})", "the calibration of a run", REMEDY) from None
    if not isinstance(data, dict):
        raise DataError(path, f"a {type(data).__name__}", "the calibration of a run", REMEDY)
    return parse_calibration(data, path)


def unfit_text(calibration: Calibration, run: RunDescription, prediction: PredictionSpec) -> str:
    """Return why a calibration does not hold for maps of a run with some settings, as a phrase; empty if it does."""
    if calibration.run != run.sha256:
        return f"made with weights of SHA-256 {calibration.run[:12]}…, and the run has those of {run.sha256[:12]}…"
    differences = setting_differences(calibration.prediction, prediction)
    return f"made with other settings ({', '.join(differences)})" if differences else ""


def calibration_text(folder: Path, run: RunDescription) -> str:
    """Return what a run is calibrated for, or why it has no intervals."""
    calibration = load_calibration(folder)
    if calibration is None:
        unvalidated = any(network.validation == {} for network in run.networks)
        reason = ", as it was trained without validation tiles" if unvalidated else ""
        return f"none, hence no intervals{reason} ({COMMAND})"
    if difference := unfit_text(calibration, run, run.plan.prediction):
        return f"none that holds: {difference} ({COMMAND})"
    return "; ".join(calibration_lines(calibration))
