"""The surface of streets: main streets with markings, cobbled lanes, footpaths, and parked cars."""

import numpy as np

from mtlaerial.synthetic.city.markings import park_cars, stroke
from mtlaerial.synthetic.city.noise import Floats, uniform
from mtlaerial.synthetic.city.organic.network import Network
from mtlaerial.synthetic.city.surface import Kind, Surface


def pave(surface: Surface, network: Network, gsd: float) -> None:
    """Put streets and pavements, with markings and cars, on a surface."""
    inside = network.depth <= 0
    streets, blocks = network[inside], network.blocks
    part = Surface.of(Kind.PAVEMENT, streets.gap.shape)
    part.shade = 0.94 + 0.12 * uniform(6, np.floor(streets.u / 0.9), np.floor(streets.v / 1.3))
    main, path, half = (streets.of_street(values) for values in (blocks.main, blocks.path, blocks.half))
    across = half + streets.gap
    road = streets.gap < 0
    part.put(road, np.where(main, Kind.MAIN_ROAD, Kind.ROAD), shade=_cobbles(streets, main))
    dashes = main & (streets.along % 6 < 3) & (streets.crossing > 2)
    part.shade += np.where(road & dashes, 1.1 * stroke(across, 0.1, gsd), np.float32(0))
    part.put(road & path, Kind.YARD, tone=0.1)
    crossed = uniform(streets.of_street(blocks.street), 3) < 0.35
    zebra = road & main & crossed & (streets.crossing > 2.5) & (streets.crossing < 5.5)
    part.put(zebra, Kind.CROSSWALK, shade=np.where(across % 1.0 < 0.5, np.float32(1.9), np.float32(1.0)))
    _park(part, streets, across, road & ~path, main)
    surface.insert(inside, part)


def _cobbles(streets: Network, main: np.ndarray) -> Floats:
    """Return the brightness of the surface: main streets are even, lanes are cobbled."""
    rough = np.float32(0.16) * uniform(8, np.floor(streets.u / 0.5), np.floor(streets.v / 0.5))
    return np.where(main, np.float32(1), np.float32(0.92) + rough)


def _park(part: Surface, streets: Network, across: Floats, road: np.ndarray, main: np.ndarray) -> None:
    """Put cars on one side of the lanes, and on both sides of main streets."""
    street = streets.of_street(streets.blocks.street)
    side = streets.side.astype(np.int32)
    # Each side of a street has a number below 4 or from 4, by the direction of the neighbour.
    lanes = ((~main & (side < 4), 1.25, 7.5, 0.33), (main, 4.3, 8.0, 0.3), (main, 1.9, 26.0, 0.35))
    for number, (mask, axis, pitch, share) in enumerate(lanes):
        where = road & mask & (streets.crossing > 3.0)
        park_cars(part, where, across - axis, streets.along, pitch, share, street, side, number)
