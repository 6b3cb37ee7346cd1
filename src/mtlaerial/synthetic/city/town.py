"""The town, composed of streets, blocks, river and trees, and its rendering."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mtlaerial.synthetic.city import blocks, light, paving, streets, trees
from mtlaerial.synthetic.city.noise import Floats, mix, smooth, uniform
from mtlaerial.synthetic.city.surface import Kind, Surface

RIVER = 10.0
"""Half the river's width in metres."""
VALLEY = 480.0
"""Size of the bends of the river in metres."""
HALO = 4
"""Pixels around a view that slopes and blur need."""
SQUARE = 512
"""Side in pixels of the squares that are built at a time."""


@dataclass(frozen=True)
class View:
    """A part of the town, seen from vertically above.

    Attributes
    ----------
    colour : array of float32, shape (rows, columns, 4)
        Red, green, blue and infrared, 0 to 1.
    kind : array of uint8, shape (rows, columns)
        Surface cover, values of ``Kind``.
    height, ground : array of float32, shape (rows, columns)
        Metres above ground, and the ground's elevation in metres.
    """

    colour: Floats
    kind: np.ndarray
    height: Floats
    ground: Floats


def render(seed: int, row: int, column: int, rows: int, columns: int, gsd: float) -> View:
    """Render a part of the town.

    Parameters
    ----------
    seed : int
        Seed of the town.
    row, column : int
        First pixel, counted from the town's north-west corner.
    rows, columns : int
        Size in pixels.
    gsd : float
        Metres per pixel.

    Returns
    -------
    View
        Views of the same seed and GSD agree in their overlap.
    """
    return next(view for _, view in render_strips(seed, row, column, rows, columns, gsd, rows))


def render_strips(
    seed: int, row: int, column: int, rows: int, columns: int, gsd: float, step: int
) -> Iterator[tuple[int, View]]:
    """Render a part of the town in strips of at most ``step`` rows; yield first row and view of each.

    The strips are rendered from south to north, as shadows fall: the elevation of each is kept for those it may shade.
    """
    x = _pixel_centres(column - HALO, column + columns + HALO + light.reach(gsd), gsd)[None]
    last = row + rows + HALO
    sunward = _scene(seed, x, _pixel_centres(last, last + light.reach(gsd), gsd)[:, None], gsd).elevation
    for first in reversed(range(row, row + rows, step)):
        y = _pixel_centres(first - HALO, min(first + step, row + rows) + HALO, gsd)[:, None]
        scene = _scene(seed, x, y, gsd)
        elevation = np.concatenate([scene.elevation, sunward])
        dark = light.shadow(elevation, gsd)
        yield first, _photograph(seed, scene, dark, x[:, : columns + 2 * HALO], y, gsd)
        sunward = elevation[2 * HALO :][: light.reach(gsd)]  # without the rows of the halo, which strips share


@dataclass(frozen=True)
class Scene:
    """The surface at the points of a raster, and the elevation of the ground in metres."""

    surface: Surface
    ground: Floats

    @property
    def elevation(self) -> Floats:
        """The surface model: elevation of ground and objects in metres."""
        return self.ground + self.surface.height


def _scene(seed: int, x: Floats, y: Floats, gsd: float) -> Scene:
    """Build a part of the town at points x (1, columns) and y (rows, 1)."""
    surface = Surface.of(Kind.GRASS, np.broadcast_shapes(x.shape, y.shape))
    for rows, columns in _squares(surface.kind.shape):
        surface[rows, columns].insert(..., cover(seed, x[:, columns], y[rows], gsd))
    bounds = x[0, 0].item(), y[0, 0].item(), x[0, -1].item(), y[-1, 0].item()
    trees.plant(surface, trees.grow(seed, bounds, lambda x, y: cover(seed, x, y, gsd)), x, y)
    return Scene(surface, terrain(seed, x, y))


def _photograph(seed: int, scene: Scene, dark: np.ndarray, x: Floats, y: Floats, gsd: float) -> View:
    """Light a scene and blur it slightly; its halo, and columns beyond ``x``, are cut off."""
    shape = len(y) - 2 * HALO, x.shape[1] - 2 * HALO
    elevation, colour = scene.elevation, np.empty((*shape, len(light.BANDS)), np.float32)
    for rows, columns in _squares(shape):
        around = tuple(slice(part.start, part.stop + 2 * HALO) for part in (rows, columns))
        lit = light.reflect(seed, scene.surface[around], x[:, around[1]], y[around[0]], gsd)
        lit *= light.illuminate(elevation[around], dark[around], gsd)
        blurred = gaussian_filter(lit, (0.55, 0.55, 0), truncate=4)[HALO:-HALO, HALO:-HALO]
        np.clip(blurred, 0, 1, out=colour[rows, columns])
    part = slice(HALO, HALO + shape[0]), slice(HALO, HALO + shape[1])
    return View(colour, scene.surface.kind[part], scene.surface.height[part], scene.ground[part])


def _squares(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of squares of a raster, small enough for the processor's cache."""
    for row in range(0, shape[0], SQUARE):
        for column in range(0, shape[1], SQUARE):
            yield slice(row, min(row + SQUARE, shape[0])), slice(column, min(column + SQUARE, shape[1]))


def _pixel_centres(first: int, last: int, gsd: float) -> Floats:
    """Return the coordinates of pixel centres along an axis, in metres."""
    return ((np.arange(first, last) + 0.5) * gsd).astype(np.float32)


def cover(seed: int, x: Floats, y: Floats, gsd: float) -> Surface:
    """Return the cover of the ground without trees at given points (in metres; x and y broadcast)."""
    u, v = _street_coordinates(seed, x, y)
    network = streets.locate(seed, u, v)
    surface, use = Surface.of(Kind.GRASS, u.shape), _uses(seed, network)[network.block_index]
    for index, build in enumerate(blocks.USES):
        here = (use == index) & ~network.paved
        if here.any():
            surface.insert(here, build(network.lots(here), gsd))
    paving.pave(surface, network, u, v, gsd)
    if not _far_from_river(seed, u, v):
        _flood(surface, _river(seed, u, v), network.on_main)
    return surface


def _uses(seed: int, network: streets.Streets) -> NDArray[np.uint8]:
    """Return the use of each block, as an index of ``USES``."""
    centrality = smooth(mix(seed, 61).item(), *network.centre, 240.0)
    return blocks.use_of(network.block, centrality, _river(seed, *network.centre) < 62)


def _street_coordinates(seed: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return coordinates of the street network: rotated, and bent so gently that houses stay straight."""
    angle = math.radians(12 + 22 * uniform(seed, 62).item())
    bend = [np.float32(34) * smooth(mix(seed, 63, axis).item(), x, y, 290.0) for axis in (0, 1)]
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return np.asarray(u + bend[0], np.float32), np.asarray(v + bend[1], np.float32)


def _river(seed: int, u: Floats, v: Floats) -> Floats:
    """Return the distance to the river's axis in metres, from street coordinates; only an estimate far from it.

    The river is a contour line of a smooth field, chosen to pass near the town's north-west corner.
    """
    here, east, south = (_valley(seed, u + du, v + dv) for du, dv in ((0, 0), (8, 0), (0, 8)))
    gradient = np.hypot(east - here, south - here) / 8  # distance = difference of level / gradient, to first order
    return np.asarray(np.abs(here - _level(seed)) / np.maximum(gradient, 0.0009), np.float32)


def _valley(seed: int, u: Floats, v: Floats) -> Floats:
    return smooth(mix(seed, 64).item(), u, v, VALLEY)


@cache
def _level(seed: int) -> Floats:
    """Return the level of the contour line that is the river."""
    return _valley(seed, np.full(1, 190, np.float32), np.full(1, 150, np.float32))


def _far_from_river(seed: int, u: Floats, v: Floats) -> bool:
    """Tell from the centre of the points whether none of them can be near the river."""
    steepest = math.sqrt(2) * 1.5 / VALLEY  # the slope of smoothstep is at most 1.5, along both axes
    ends = np.array([[t.min(), t.max()] for t in (u, v)], np.float32)
    middle = ends.mean(axis=1, keepdims=True)
    distance = np.abs(_valley(seed, *middle) - _level(seed)) / steepest
    return bool(distance[0] - np.hypot(*(ends[:, 1:] - middle))[0] > RIVER + 6)


def _flood(surface: Surface, distance: Floats, bridge: np.ndarray) -> None:
    """Put the river and its banks on everything but main streets, which bridge it."""
    surface.put((distance < RIVER + 5) & ~bridge, Kind.PARK)
    surface.put((distance < RIVER) & ~bridge, Kind.WATER, tone=0.1)


def terrain(seed: int, x: Floats, y: Floats) -> Floats:
    """Return the elevation of the ground in metres above sea level."""
    hills = 14 * smooth(mix(seed, 65).item(), x, y, 420.0) + 2.5 * smooth(mix(seed, 66).item(), x, y, 110.0)
    return np.asarray(40 + hills, np.float32)
