"""The town as a whole, and views of its parts."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from mtlaerial.datasets.city import blocks, light, streets, trees
from mtlaerial.datasets.city.noise import Floats, mix, smooth, uniform
from mtlaerial.datasets.city.surface import Kind, Surface

RIVER = 10.0
"""Half the river's width in metres."""


@dataclass(frozen=True)
class View:
    """A part of the town seen from straight above.

    Attributes
    ----------
    colour : array of float32, shape (rows, columns, 4)
        Red, green, blue and infrared, 0 to 1.
    kind : array of uint8, shape (rows, columns)
        What is seen, a ``Kind`` each.
    height, ground : array of float32, shape (rows, columns)
        Metres above ground, and the ground's elevation in metres.
    """

    colour: Floats
    kind: np.ndarray
    height: Floats
    ground: Floats


def render(seed: int, row: int, column: int, rows: int, columns: int, gsd: float) -> View:
    """Look at a part of the town.

    Parameters
    ----------
    seed : int
        Which town.
    row, column : int
        First pixel, counted from the town's north-west corner.
    rows, columns : int
        Size in pixels.
    gsd : float
        Metres per pixel.

    Returns
    -------
    View
        Any two views agree where they overlap.
    """
    # Light needs what lies towards the sun; slopes and blur need a few neighbours.
    before, after = 4, 4 + light.reach(gsd)
    x = _places(column - before, column + columns + after, gsd)[None]
    y = _places(row - before, row + rows + after, gsd)[:, None]
    surface, ground = cover(seed, x, y, gsd), terrain(seed, x, y)
    bounds = x[0, 0].item(), y[0, 0].item(), x[0, -1].item(), y[-1, 0].item()
    trees.plant(surface, trees.grow(seed, bounds, lambda x, y: cover(seed, x, y, gsd)), x, y)
    colour = light.reflect(seed, surface, x, y, gsd) * light.illuminate(ground + surface.height, gsd)
    part = slice(before, before + rows), slice(before, before + columns)
    colour = gaussian_filter(colour[: before + rows + 4, : before + columns + 4], (0.55, 0.55, 0), truncate=4)
    return View(colour[part].clip(0, 1), surface.kind[part], surface.height[part], ground[part])


def _places(first: int, last: int, gsd: float) -> Floats:
    """Return the pixels' centres in metres."""
    return ((np.arange(first, last) + 0.5) * gsd).astype(np.float32)


def cover(seed: int, x: Floats, y: Floats, gsd: float) -> Surface:
    """Return what covers the ground at given places (metres; they broadcast), trees left out."""
    u, v = _bend(seed, x, y)
    network = streets.locate(seed, u, v)
    centrality = smooth(mix(seed, 61).item(), *network.centre, 240.0)
    wet = _river(seed, *network.centre)
    use = blocks.use_of(network.block, centrality, wet < 62)
    surface, lots = Surface.of(Kind.GRASS, u.shape), network.lots
    for index, build in enumerate(blocks.USES):
        here = use == index
        if here.any():
            surface.insert(here, build(lots[here], gsd))
    streets.pave(surface, network, u, v, gsd)
    _flood(surface, _river(seed, u, v), network.on_main)
    return surface


def _bend(seed: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return coordinates along and across the streets: turned, and bent so gently that houses stay straight."""
    angle = math.radians(12 + 22 * uniform(seed, 62).item())
    bend = [np.float32(34) * smooth(mix(seed, 63, axis).item(), x, y, 290.0) for axis in (0, 1)]
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return np.asarray(u + bend[0], np.float32), np.asarray(v + bend[1], np.float32)


def _river(seed: int, u: Floats, v: Floats) -> Floats:
    """Return the distance to the river's middle in metres, from street coordinates: good near it, rough far away.

    The river is a contour line of a smooth field, chosen to pass near the town's north-west corner.
    """
    field = mix(seed, 64).item()
    here = smooth(field, u, v, 480.0)
    east, south = smooth(field, u + 8, v, 480.0) - here, smooth(field, u, v + 8, 480.0) - here
    start = np.float32(190), np.float32(150)
    level = smooth(field, np.atleast_1d(start[0]), np.atleast_1d(start[1]), 480.0)
    return np.asarray(np.abs(here - level) / np.maximum(np.hypot(east, south) / 8, 0.0009), np.float32)


def _flood(surface: Surface, distance: Floats, bridge: np.ndarray) -> None:
    """Lay the river with its banks over everything but main streets, which bridge it."""
    surface.put((distance < RIVER + 5) & ~bridge, Kind.PARK)
    surface.put((distance < RIVER) & ~bridge, Kind.WATER, tone=0.1)


def terrain(seed: int, x: Floats, y: Floats) -> Floats:
    """Return the ground's elevation in metres above the sea."""
    hills = 14 * smooth(mix(seed, 65).item(), x, y, 420.0) + 2.5 * smooth(mix(seed, 66).item(), x, y, 110.0)
    return np.asarray(40 + hills, np.float32)
