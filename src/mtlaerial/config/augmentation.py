"""The section ``training.augmentation``."""

from typing import Literal

from pydantic import NonNegativeFloat

from mtlaerial.config.base import Section
from mtlaerial.config.numbers import Fraction


class Augmentation(Section):
    """Random changes of each training patch."""

    flip: bool = True
    """Mirror rows and columns, each with probability 1/2."""
    quarter_turns: bool = False
    """Turn by 0, 90, 180 or 270 degrees."""
    rotation: NonNegativeFloat = 5 / 3
    """Standard deviation of a rotation in degrees (cut at 3 standard deviations); 0 for none."""
    zoom: Fraction = 0.0
    """Scale by a factor whose logarithm is uniform in ±log(1 + zoom); 0 for none."""
    colour: Fraction = 0.0
    """Contrast and brightness change by up to this share of the value range, each band a quarter of it apart."""
    image_resampling: Literal["nearest", "bilinear"] = "nearest"
    """Resampling of the image when a patch is rotated or zoomed."""
