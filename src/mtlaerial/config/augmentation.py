"""The section ``training.augmentation``."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, model_validator

from mtlaerial.config.base import Section
from mtlaerial.config.faults import Unfit
from mtlaerial.config.numbers import Azimuth, Fraction


class Augmentation(Section):
    """Random changes of each training patch."""

    flip: bool = True
    """Mirror rows and columns, each with probability 1/2."""
    quarter_turns: bool = False
    """Turn by 0, 90, 180 or 270 degrees."""
    mirror_along_sun: Azimuth | None = None
    """Mirror, with probability 1/2, across the line in the direction of the sun (azimuth in degrees clockwise from
    the image's upper edge): shadows keep their direction, which ``flip`` and ``quarter_turns`` change."""
    rotation: NonNegativeFloat = 5 / 3
    """Standard deviation of a rotation in degrees (cut at 3 standard deviations); 0 for none."""
    zoom: Fraction = 0.0
    """Scale by a factor whose logarithm is uniform in ±log(1 + zoom); 0 for none."""
    image_resampling: Literal["nearest", "bilinear"] = "nearest"
    """Resampling of the image when a patch is rotated, zoomed or mirrored along the sun."""
    colour: Fraction = 0.0
    """Contrast changes by a factor within 1 ± 1.25 times this, brightness by up to 0.625 times this share of the value
    range; a fifth of both is each band's own."""
    gamma: Fraction = 0.0
    """Raise values, as shares of the value range, to a power whose logarithm is uniform in ±log(1 + gamma)."""
    saturation: Fraction = 0.0
    """Scale the distance of each band from the mean of a pixel's bands by 1 ± up to this share."""
    noise: Fraction = 0.0
    """Largest standard deviation of Gaussian noise, as a share of the value range; a patch's is uniform up to it."""
    blur: Annotated[float, Field(ge=0.0, le=8.0)] = 0.0
    """Largest standard deviation of a Gaussian blur in pixels; a patch's is uniform up to it."""

    @property
    def changes_values(self) -> bool:
        """Whether values of the image are changed, besides their resampling."""
        return any((self.colour, self.gamma, self.saturation, self.noise, self.blur))

    @model_validator(mode="after")
    def _shadows_kept(self) -> Self:
        turned = [key for key in ("flip", "quarter_turns") if getattr(self, key)]
        if self.mirror_along_sun is not None and turned:
            keys, expected = " and ".join(turned), "false beside mirror_along_sun, which keeps the direction of shadows"
            raise Unfit(keys, "true", expected, f"Write {', '.join(f'{key}: false' for key in turned)}.")
        return self
