"""The layout of the grown town, composed of streets, blocks and stream."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.organic import paving, uses
from mtlaerial.synthetic.city.organic.land import Land
from mtlaerial.synthetic.city.organic.network import Network, locate
from mtlaerial.synthetic.city.river import River
from mtlaerial.synthetic.city.surface import Kind, Surface

STREAM = River(half_width=5.5, bend=260.0)


def cover(seed: int, x: Floats, y: Floats, gsd: float) -> Surface:
    """Return the cover of the ground without trees at given points (in metres; x and y broadcast)."""
    u, v = _town_coordinates(seed, x, y)
    network = locate(seed, u, v)
    surface, use = Surface.of(Kind.GRASS, u.shape), _uses(seed, network)[network.index]
    for index, build in enumerate(uses.USES):
        here = (use == index) & (network.depth > 0)
        if here.any():
            surface.insert(here, build(Land.of(seed, network[here], u[here], v[here]), gsd))
    paving.pave(surface, network, gsd)
    if not STREAM.is_far(seed, u, v):
        bridge = (network.gap < 1.5) & network.of_street(network.blocks.main)
        STREAM.flood(surface, STREAM.distance(seed, u, v), bridge)
    return surface


def _uses(seed: int, network: Network) -> NDArray[np.uint8]:
    """Return the use of each block, as an index of ``USES``."""
    blocks = network.blocks
    centrality = smooth(mix(seed, 61).item(), blocks.u, blocks.v, 260.0)
    riverside = STREAM.distance(seed, blocks.u, blocks.v) < 38
    return uses.use_of(blocks.block, centrality, riverside)


def _town_coordinates(seed: int, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return coordinates of the town, bent so gently that houses stay straight."""
    bend = [np.float32(30) * smooth(mix(seed, 63, axis).item(), x, y, 240.0) for axis in (0, 1)]
    return np.asarray(x + bend[0], np.float32), np.asarray(y + bend[1], np.float32)
