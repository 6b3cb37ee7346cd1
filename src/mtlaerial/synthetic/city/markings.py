"""Cars and painted lines on streets and car parks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, mix, uniform
from mtlaerial.synthetic.city.surface import Kind, Surface


def stroke(distance: Floats, half_width: float, gsd: float) -> Floats:
    """Return the share of a pixel, 0 to 1, that a painted line covers, from the distance to the line's axis."""
    most = min(1.0, 2 * half_width / gsd)
    return np.clip((half_width + gsd / 2 - np.abs(distance)) / gsd, 0, most).astype(np.float32)


def park_cars(
    part: Surface, where: NDArray[Any], across: Any, along: Floats, pitch: float, share: float, *keys: Any
) -> None:
    """Put cars in a random share of the slots along a lane.

    Parameters
    ----------
    part : Surface
    where : array of bool
        Points of the lane.
    across, along : array of float32
        Distance from the lane's axis, and position along it, in metres.
    pitch : float
        Length of a slot in metres.
    share : float
        Share of slots with a car.
    *keys
        Random keys of the lane.
    """
    slot = np.floor(along / np.float32(pitch))
    car = mix(slot.astype(np.int32), *keys)
    room = pitch - 5.2
    length = along - slot * np.float32(pitch) - np.float32(2.6) - np.float32(room) * uniform(car, 1)
    half = np.float32(2.0) + np.float32(0.4) * uniform(car, 2)
    inside = where & (uniform(car, 3) < share) & (np.abs(length) < half) & (np.abs(across) < 0.92)
    roof = np.abs(length - 0.3) < 1.3
    glass = (np.abs(length - 0.3) > 0.95) & roof
    height = np.where(roof, np.float32(1.45), np.float32(1.0))
    part.put(inside, Kind.CAR, height, uniform(car, 4), np.where(glass, np.float32(0.35), np.float32(1.0)))
