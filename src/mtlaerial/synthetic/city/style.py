"""Styles of towns: layout, colours, light and vegetation, from which a town is rendered."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.surface import Kind, Surface

BANDS = ("red", "green", "blue", "infrared")
Colour = tuple[float, float, float, float]
"""Reflectance in the four ``BANDS``, 0 to 1."""


@dataclass(frozen=True)
class Palette:
    """Colours of surfaces.

    Attributes
    ----------
    table : array of float32, shape (kinds, colours, bands)
        Reflectance, 0 to 1; kinds with fewer colours than others are padded with zeros.
    count : array of int64, shape (kinds,)
        Number of colours of each kind.
    texture : array of float32, shape (kinds,)
        Amplitude of the brightness's relative variation within a surface.
    """

    table: Floats
    count: np.ndarray
    texture: Floats

    @classmethod
    def of(cls, colours: Mapping[Kind, Sequence[Colour]], texture: Mapping[Kind, float], smoothest: float) -> "Palette":
        """Return the palette of some colours per kind; kinds without a ``texture`` get the amplitude ``smoothest``."""
        count = np.array([len(colours[kind]) for kind in Kind], np.int64)
        table = np.zeros((len(Kind), count.max(), len(BANDS)), np.float32)
        for kind in Kind:
            table[kind, : count[kind]] = colours[kind]
        amplitude = np.array([texture.get(kind, smoothest) for kind in Kind], np.float32)
        return cls(table, count, amplitude)


@dataclass(frozen=True)
class Sun:
    """The direction of the sun, which stands in the south, between south-east and south-west.

    Attributes
    ----------
    elevation : float
        Radians above the horizon.
    east : float
        Pixels to the east per pixel to the south on the way towards the sun, from -1 to 1: the tangent of the angle
        between south and the sun's azimuth.
    """

    elevation: float
    east: float

    @property
    def stride(self) -> float:
        """The length of the way towards the sun, in pixels per pixel to the south."""
        return math.hypot(1, self.east)

    def columns(self, rows: int) -> int:
        """Return how many pixels to the east a ray to the sun runs while it runs a number of pixels to the south."""
        return round(rows * self.east)


@dataclass(frozen=True)
class Vegetation:
    """Trees of a town.

    Attributes
    ----------
    pitch : float
        Spacing in metres of the lattice of possible trees.
    density : array of float32, shape (kinds,)
        Share of the lattice with a tree, by the kind of the ground.
    evergreen : float
        Largest share of conifers.
    radius, height : pairs of (smallest, range)
        Metres, of deciduous trees and of conifers.
    """

    pitch: float
    density: Floats
    evergreen: float
    radius: tuple[tuple[float, float], tuple[float, float]]
    height: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Style:
    """A style of towns.

    Attributes
    ----------
    cover : callable
        Returns the cover of the ground without trees, from the seed of the town, coordinates x and y of points in
        metres (they broadcast), and metres per pixel.
    hills : sequence of (height, size)
        Heights and sizes of the hills of the terrain, in metres.
    palette : Palette
    sun : Sun
    ambient : array of float32, shape (bands,)
        Share of diffuse light from the sky.
    blur : float
        Standard deviation of the blur in pixels; below 0.87, so that it reaches 3 pixels at most.
    highest : float
        Upper bound of heights above ground, in metres.
    vegetation : Vegetation
    """

    cover: Callable[[int, Floats, Floats, float], Surface]
    hills: tuple[tuple[float, float], tuple[float, float]]
    palette: Palette
    sun: Sun
    ambient: Floats
    blur: float
    highest: float
    vegetation: Vegetation

    def terrain(self, seed: int, x: Floats, y: Floats) -> Floats:
        """Return the elevation of the ground in metres above sea level."""
        (high, far), (low, near) = self.hills
        hills = high * smooth(mix(seed, 65).item(), x, y, far) + low * smooth(mix(seed, 66).item(), x, y, near)
        return np.asarray(40 + hills, np.float32)

    def reach(self, gsd: float) -> int:
        """Return the largest distance of a shadow's caster, in pixels to the south."""
        return math.ceil((self.highest + 2) / math.tan(self.sun.elevation) / self.sun.stride / gsd)
