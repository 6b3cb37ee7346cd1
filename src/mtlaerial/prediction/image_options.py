"""Options that make an image match a run: bands, pixel size, range of values, area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mtlaerial.datasets.check.image_gate.expectation import OPTIONS, Wording
from mtlaerial.errors import ConfigError
from mtlaerial.prediction.prediction_area import Area


@dataclass(frozen=True)
class ImageOptions:
    """How an image is made to match a run.

    Attributes
    ----------
    bands : sequence of int or None
        Bands of the image, counted from 1, in the order of the run's; None for those that the run was trained on.
    gsd : float or None
        Metres per pixel, for an image without georeference.
    resample : bool
        Resample it to the pixels of the training as it is read; maps have the image's own grid.
    stated_range : tuple of float or None
        Values of the image that are the lowest and the highest of the training's range; None where it has that range.
    area : Area or None
        The only area that is predicted.
    command : str
        The user's command, to which a remedy adds an option; empty from Python.
    wording : Wording
        Names of the options in refusals.
    """

    bands: Sequence[int] | None = None
    gsd: float | None = None
    resample: bool = False
    stated_range: tuple[float, float] | None = None
    area: Area | None = None
    command: str = ""
    wording: Wording = OPTIONS

    @property
    def settings(self) -> dict[str, Any]:
        """What maps depend on, as plain data."""
        return {
            "bands": None if self.bands is None else list(self.bands),
            "gsd": self.gsd,
            "resample": self.resample,
            "range": self.stated_range,
            "area": self.area and self.area.sha256,
        }


def value_range(option: str, text: str) -> tuple[float, float]:
    """Return the two limits that a text has, separated by a comma.

    Raises
    ------
    ConfigError
        When they are no numbers, or the first is not below the second.

    Examples
    --------
    >>> value_range("--range", "0,4095")
    (0.0, 4095.0)
    """
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        low = high = float("nan")
    if not (low < high and abs(low) != float("inf") and high != float("inf")):
        raise ConfigError(option, repr(text), "two numbers, the lower one first", f"For example {option} 0,4095.")
    return low, high
