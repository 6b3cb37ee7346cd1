"""The section ``calibration``, and the settings of a prediction that a calibration holds for."""

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.names import require_once
from mtlaerial.config.numbers import Metres, Percent
from mtlaerial.config.prediction import PredictionSpec

_WITHOUT_EFFECT = {
    *("batch", "device", "engine", "threads"),
    *("layers", "interval", "image_maps", "height_encoding", "negative_heights"),
}
"""Keys of a prediction that change no height, deviation or probability but by rounding."""

_ID_LENGTH = 12


class CalibrationSpec(Section):
    """Calibration of runs on the validation tiles: intervals of heights, and the temperature of probabilities."""

    levels: Annotated[tuple[Percent, ...], Field(min_length=1)] = (50.0, 80.0, 90.0, 95.0)
    """Levels of the intervals in per cent: shares of heights that are to lie within. One that needs more calibration
    cells than the validation tiles have is left out, and a note says so."""
    cell: Metres = 60.0
    """Least side in metres of the calibration cells, the squares of a tile that count as one observation each. It is to
    be longer than the correlation length of the errors, which is measured; a note says where it is not."""

    @model_validator(mode="after")
    def _each_level_once(self) -> Self:
        require_once("levels", [f"{level:g} %" for level in self.levels])
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """The levels as fractions."""
        return tuple(map(share_of, self.levels))


def share_of(level: float) -> float:
    """Return a level in per cent as a fraction: the same number wherever it is calculated."""
    return level / 100


def setting_differences(calibrated: PredictionSpec, prediction: PredictionSpec) -> list[str]:
    """Return the settings by which a prediction differs from one that was calibrated, with both values.

    Examples
    --------
    >>> setting_differences(PredictionSpec(), PredictionSpec(views=["mirror"], batch=4))
    ['views [mirror] instead of []']
    """
    before, after = _settings(calibrated), _settings(prediction)
    return [f"{key} {after[key]} instead of {before[key]}" for key in after if after[key] != before[key]]


def calibrated_settings_id(prediction: PredictionSpec) -> str:
    """Return a short hash of the settings of maps that a calibration depends on, for the tags of the maps."""
    return hashlib.sha256(json.dumps(_settings(prediction), sort_keys=True).encode()).hexdigest()[:_ID_LENGTH]


def _settings(prediction: PredictionSpec) -> dict[str, Any]:
    values = prediction.model_dump(mode="json", exclude=_WITHOUT_EFFECT)
    values["spread"] = list(prediction.spread_sources)
    return {key: f"[{', '.join(value)}]" if isinstance(value, list) else value for key, value in values.items()}
