"""The layout of the planned town, composed of streets, blocks and river."""

import math

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.grid import blocks, paving, streets
from mtlaerial.synthetic.city.noise import Floats, mix, smooth, uniform
from mtlaerial.synthetic.city.river import River
from mtlaerial.synthetic.city.surface import Kind, Surface

RIVER = River(half_width=10.0, bend=480.0)


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
    if not RIVER.is_far(seed, u, v):
        RIVER.flood(surface, RIVER.distance(seed, u, v), network.on_main)
    return surface


def _uses(seed: int, network: streets.Streets) -> NDArray[np.uint8]:
    """Return the use of each block, as an index of ``USES``."""
    centrality = smooth(mix(seed, 61).item(), *network.centre, 240.0)
    return blocks.use_of(network.block, centrality, RIVER.distance(seed, *network.centre) < 62)


def _street_coordinates(seed: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return coordinates of the street network: rotated, and bent so gently that houses stay straight."""
    angle = math.radians(12 + 22 * uniform(seed, 62).item())
    bend = [np.float32(34) * smooth(mix(seed, 63, axis).item(), x, y, 290.0) for axis in (0, 1)]
    u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return np.asarray(u + bend[0], np.float32), np.asarray(v + bend[1], np.float32)
