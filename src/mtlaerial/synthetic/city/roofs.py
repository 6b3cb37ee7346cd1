"""Roof shapes."""

import numpy as np

from mtlaerial.synthetic.city.noise import Floats, Ids, uniform


def gable(across: Floats, half: Floats | float, slope: Floats | float) -> Floats:
    """Return the height of a gabled roof above its eaves, from the distance to the ridge and half the width (m)."""
    return np.asarray(np.maximum(half - np.abs(across), 0) * slope, np.float32)


def hip(x: Floats, y: Floats, half_x: Floats, half_y: Floats, slope: Floats) -> Floats:
    """Return the height of a hipped roof above its eaves, from the position relative to the rectangle's centre (m)."""
    return np.asarray(np.maximum(np.minimum(half_x - np.abs(x), half_y - np.abs(y)), 0) * slope, np.float32)


def rooftop(x: Floats, y: Floats, inset: Floats, height: Floats, building: Ids) -> Floats:
    """Return the height above ground of a flat roof with a parapet and machinery on it.

    Parameters
    ----------
    x, y, inset : array of float32
        Position, and distance to the roof's edge, in metres.
    height : array of float32
        Height of the roof above ground in metres.
    building : array of uint32
        Random number of the building.
    """
    column, row = np.floor(x / 7), np.floor(y / 7)
    machine = uniform(building, 31, row, column) < 0.22
    size = 0.8 + 1.0 * uniform(building, 32, row, column)
    box = machine & (np.maximum(np.abs(x % 7 - 3.5), np.abs(y % 7 - 3.5)) < size) & (inset > 2.5)
    return np.asarray(height + 1.4 * box + 0.6 * (inset < 0.6), np.float32)
