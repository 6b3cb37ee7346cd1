"""Pitched roofs of irregular buildings."""

import numpy as np

from mtlaerial.synthetic.city.noise import Floats, uniform
from mtlaerial.synthetic.city.organic.land import Sites
from mtlaerial.synthetic.city.roofs import gable, hip


def pitched(on: Sites, slope: Floats) -> Floats:
    """Return the height of roofs above their eaves: gables, half-hipped, hipped, or the crossed gables of an L or a T.

    Parameters
    ----------
    on : Sites
    slope : array of float32
        Tangent of the roofs' inclination.

    Returns
    -------
    array of float32
        Metres; 0 or less outside the building.
    """
    form = uniform(on.site, 11)
    long_gable = gable(on.y, on.half_y, slope)
    # The ends of a half-hipped roof are cut off from half its height.
    half_hipped = np.minimum(long_gable, (on.half_x - np.abs(on.x)) * 2 * slope + on.half_y * slope * 0.5)
    hipped = hip(on.x, on.y, on.half_x, on.half_y, slope)
    forms = [long_gable, half_hipped, hipped]
    return np.asarray(np.select([form < 0.3, form < 0.44, form < 0.56], forms, _crossed(on, form, slope)), np.float32)


def _crossed(on: Sites, form: Floats, slope: Floats) -> Floats:
    """Return the roofs of a wing along the street and one away from it; the rest of the rectangle is free."""
    half = on.half_y * np.float32(0.52)
    front = gable(on.y + on.half_y - half, half, slope)
    # Wings stand at either end, or in the middle.
    place = np.select([form < 0.72, form < 0.88], [np.float32(1), np.float32(-1)], np.float32(0))
    back = gable(on.x - place * (on.half_x - half), half, slope)
    return np.maximum(front, back)


def chimney(on: Sites) -> np.ndarray:
    """Return the mask of chimneys, of 0.9 m, beside the ridges of two in three buildings."""
    x = on.x - (uniform(on.site, 12) - np.float32(0.5)) * on.half_x
    y = on.y + np.float32(0.4) * on.half_y
    return np.asarray((np.maximum(np.abs(x), np.abs(y)) < 0.45) & (uniform(on.site, 13) < 0.67))
