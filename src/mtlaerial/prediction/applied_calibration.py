"""Calibration of a run as a prediction applies it: bounds of heights, and probabilities at a temperature."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtlaerial.calibration.intervals import height_interval, left_out_note
from mtlaerial.calibration.record import Calibration, percent
from mtlaerial.calibration.temperature import SMALLEST
from mtlaerial.config import PredictionSpec, Task, task_entry
from mtlaerial.config.calibration import setting_differences, share_of
from mtlaerial.config.task_entry import MapLayer, Shows
from mtlaerial.config.tasks import tasks_with
from mtlaerial.errors import ConfigError
from mtlaerial.prediction.class_shares import class_shares
from mtlaerial.prediction.map_values import MAKERS
from mtlaerial.runs.calibration_file import COMMAND, load_calibration, unfit_text
from mtlaerial.runs.run import RunDescription

log = logging.getLogger(__name__)
Make = Callable[[Tensor], NDArray[Any]]
"""From blended values, (channels, rows, columns), to those of a map."""
TEMPERED: tuple[Shows, ...] = ("probabilities", "entropy")
"""Layers of classes that a temperature changes."""


@dataclass(frozen=True)
class AppliedCalibration:
    """A calibration that holds for a prediction.

    Attributes
    ----------
    calibration : Calibration
    level : float or None
        Level of the intervals whose bounds are written, as a fraction; None for no bounds.
    """

    calibration: Calibration
    level: float | None

    def bounds(self, task: Task) -> bool:
        """Tell whether bounds of a task's values are written."""
        heights = self.calibration.heights.get(task)
        return heights is not None and self.level in heights.levels

    def layer(self, layer: MapLayer) -> MapLayer:
        """Return a layer with the level in the description of bounds."""
        if layer.shows not in ("lower", "upper") or self.level is None:
            return layer
        description = f"{layer.description}, interval of {percent(self.level)}"
        return MapLayer(layer.name, layer.shows, description)

    def tags(self, task: Task, shows: Shows) -> dict[str, str]:
        """Return the tags of a map that the calibration changes: level or temperature, and what it was made on."""
        origin = {"CALIBRATED_ON": ", ".join(self.calibration.tiles), "CALIBRATED_FOR": self.calibration.predictor}
        if shows in ("lower", "upper") and self.level is not None:
            return {"INTERVAL": percent(self.level), **origin}
        if shows in TEMPERED and task in self.calibration.classes:
            return {"TEMPERATURE": f"{self.calibration.classes[task].temperature:.6g}", **origin}
        return {}

    def maker(self, task: Task, shows: Shows) -> Make:
        """Return the function that makes a map of blended values; of bounds these are a value and its variance."""
        if shows in ("lower", "upper"):
            return self._bound_maker(task, shows)
        if shows in TEMPERED and task in self.calibration.classes:
            temperature = self.calibration.classes[task].temperature
            return lambda scores: MAKERS[shows](tempered(scores, temperature))
        return MAKERS[shows]

    def _bound_maker(self, task: Task, shows: Shows) -> Make:
        heights, metres = self.calibration.heights[task], np.float32(task_entry(task).metres)
        assert self.level is not None
        level = self.level

        def bound(channels: Tensor) -> NDArray[np.float32]:
            predicted = MAKERS["mean"](channels[:1]) * metres
            deviation = MAKERS["deviation"](channels[1:]) * metres if len(channels) > 1 else None
            lower, upper = height_interval(heights, level, predicted, deviation)
            values: NDArray[np.float32] = (lower if shows == "lower" else upper) / metres
            return values

        return bound


def tempered(scores: Tensor, temperature: float) -> Tensor:
    """Return class probabilities at a temperature, from scores of shape (classes, …); NaN where a score is NaN.

    The same as :func:`mtlaerial.calibration.temperature.with_temperature`, on the scores' device.
    """
    return torch.softmax(class_shares(scores, axis=0).clamp(min=SMALLEST).log() / temperature, dim=0)


def applied_calibration(folder: Path, run: RunDescription, prediction: PredictionSpec) -> AppliedCalibration | None:
    """Return the calibration of a run that a prediction applies; None where it needs none, or has none that holds.

    Bounds that are asked for and cannot be told are left out, with a warning.

    Raises
    ------
    ConfigError, DataError
        When the file of the calibration is damaged.
    """
    level = None if prediction.interval is None else share_of(prediction.interval)
    if level is not None and (fault := _interval_fault(folder, run, prediction)):
        log.warning("%s: no bounds of %s, as it has %s. %s", run.name, percent(level), *fault)
        level = None
    tempers = any(layer in TEMPERED for layer in prediction.layers)
    calibration = load_calibration(folder) if tempers or level is not None else None
    if calibration is None:
        return None
    if difference := unfit_text(calibration, run, prediction):
        log.warning("%s: probabilities are not calibrated, as the calibration was %s", run.name, difference)
        return None
    return AppliedCalibration(calibration, level)


def require_interval(folder: Path, run: RunDescription, prediction: PredictionSpec) -> None:
    """Refuse an interval that the calibration of a run cannot tell for a prediction.

    Raises
    ------
    ConfigError
    """
    if fault := _interval_fault(folder, run, prediction):
        raise ConfigError("--interval", fault[0], "a run that is calibrated for this prediction", fault[1])


def _interval_fault(folder: Path, run: RunDescription, prediction: PredictionSpec) -> tuple[str, str] | None:
    """Return why a run has no intervals of the level of a prediction, as a phrase, and a remedy; None where it has."""
    assert prediction.interval is not None
    level, calibration = share_of(prediction.interval), load_calibration(folder)
    if not tasks_with("heights", run.plan.tasks):
        return "no task of heights", "Predict with a run that learned heights."
    if calibration is None:
        unvalidated = any(network.validation == {} for network in run.networks)
        reason = " (it was trained without validation tiles)" if unvalidated else ""
        return f"no calibration{reason}", f"Calibrate it: {COMMAND}."
    if difference := unfit_text(calibration, run, prediction):
        return f"a calibration that was {difference}", _recalibration(calibration, run, prediction)
    levels = {each for heights in calibration.heights.values() for each in heights.levels}
    if level not in levels:
        available = ", ".join(map(percent, sorted(levels))) or "none"
        reasons = dict.fromkeys(left_out_note(heights, level) for heights in calibration.heights.values())
        remedy = " ".join(filter(None, reasons)) or "Choose one of these, or add it to calibration.levels."
        return f"intervals of {available}, and none of {percent(level)}", remedy
    return None


def _recalibration(calibration: Calibration, run: RunDescription, prediction: PredictionSpec) -> str:
    """Return what makes a calibration hold that was made with other weights or settings, as a sentence."""
    if calibration.run != run.sha256:
        return f"Calibrate again: {COMMAND}."
    blended = run.plan.prediction.blended(prediction.blend)
    if setting_differences(blended, prediction):
        return "Predict with the settings of the calibration."
    option = "" if blended == run.plan.prediction else f" --blend {prediction.blend}"
    return f"Predict with the settings of the calibration, or calibrate for these: {COMMAND}{option}."
