"""The river: a contour line of a smooth field, chosen to pass near the town's north-west corner."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.surface import Kind, Surface


@dataclass(frozen=True)
class River:
    """A river, with half its width and the size of its bends in metres.

    Coordinates are those of the street network, in metres.
    """

    half_width: float
    bend: float

    def distance(self, seed: int, u: Floats, v: Floats) -> Floats:
        """Return the distance of points to the river's axis in metres; only an estimate far from it."""
        here, east, south = (self.valley(seed, u + du, v + dv) for du, dv in ((0, 0), (8, 0), (0, 8)))
        gradient = np.hypot(east - here, south - here) / 8
        # Distance = difference of level / gradient, to first order.
        return np.asarray(np.abs(here - _level(self, seed)) / np.maximum(gradient, 0.0009), np.float32)

    def is_far(self, seed: int, u: Floats, v: Floats) -> bool:
        """Tell from the centre of the points whether none of them can be near the river."""
        steepest = math.sqrt(2) * 1.5 / self.bend  # the slope of smoothstep is at most 1.5, along both axes
        ends = np.array([[t.min(), t.max()] for t in (u, v)], np.float32)
        middle = ends.mean(axis=1, keepdims=True)
        distance = np.abs(self.valley(seed, *middle) - _level(self, seed)) / steepest
        return bool(distance[0] - np.hypot(*(ends[:, 1:] - middle))[0] > self.half_width + 6)

    def flood(self, surface: Surface, distance: Floats, bridge: np.ndarray) -> None:
        """Put the river and its banks on everything but the points of bridges."""
        surface.put((distance < self.half_width + 5) & ~bridge, Kind.PARK)
        surface.put((distance < self.half_width) & ~bridge, Kind.WATER, tone=0.1)

    def valley(self, seed: int, u: Floats, v: Floats) -> Floats:
        """Return the smooth field of which the river is a contour line."""
        return smooth(mix(seed, 64).item(), u, v, self.bend)


@cache
def _level(river: River, seed: int) -> Floats:
    """Return the level of the contour line that is the river."""
    return river.valley(seed, np.full(1, 190, np.float32), np.full(1, 150, np.float32))
