"""Uses of blocks in a grown town: a function per use, which returns the cover of points in a block."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.markings import park_cars, stroke
from mtlaerial.synthetic.city.noise import Floats, mix, smooth, uniform
from mtlaerial.synthetic.city.organic.land import Land, Sites, sites
from mtlaerial.synthetic.city.organic.roofs import chimney, pitched
from mtlaerial.synthetic.city.roofs import gable
from mtlaerial.synthetic.city.rules import first_that_holds
from mtlaerial.synthetic.city.surface import Kind, Surface


def cottages(at: Land, gsd: float) -> Surface:
    """Detached houses of many shapes in gardens with hedges and beds."""
    part = Surface.of(Kind.GRASS, at.x.shape)
    on = sites(at, 19.5, 1.6, 1.2, 201)
    part.tone = uniform(on.site, 21)
    garden = uniform(on.site, 22)
    beds = on.built & (garden < 0.3) & (on.y > on.half_y + 1.5) & (np.abs(on.x) < 4)
    part.put(beds, Kind.SOIL, tone=0.3, shade=0.85 + 0.25 * (on.x % 1.6 < 0.9))
    drive = on.built & (np.abs(on.x - on.half_x - 1.8) < 1.7) & (on.y < on.half_y)
    part.put(drive, Kind.YARD, tone=uniform(on.site, 23))
    park_cars(part, drive, on.x - on.half_x - 1.8, on.y + 9.0, 6.0, 0.35, on.site)
    _build(part, on, 2.6 + 2.6 * (uniform(on.site, 24) < 0.45), Kind.HOUSE)
    shed = on.built & (garden > 0.55) & (np.abs(on.x + on.half_x - 1.5) < 1.6) & (np.abs(on.y - on.half_y - 3) < 1.3)
    part.put(shed & (part.height < 1), Kind.HOUSE, 2.1 + gable(on.y - on.half_y - 3, 1.3, 0.5), 0.55)
    return part


def _build(part: Surface, on: Sites, eaves: Floats, kind: Kind, steep: float = 0.8) -> None:
    """Put pitched buildings on their sites."""
    slope = np.float32(steep) + np.float32(0.4) * uniform(on.site, 31)
    roof = pitched(on, slope)
    walls = (on.inset > 0) & (roof > 0)
    # The first colour of halls is that of churches.
    tone = uniform(on.site, 32) if kind == Kind.HOUSE else 0.17 + 0.83 * uniform(on.site, 32)
    part.put(walls, kind, np.where(walls, eaves + roof, 0).astype(np.float32), tone)
    stacks = walls & chimney(on)
    part.put(stacks, kind, part.height + np.float32(1.1), 0.99, 0.8)


def old_town(at: Land, gsd: float) -> Surface:
    """Narrow town houses along crooked lanes, wall to wall, with sheds in paved or planted yards."""
    part = Surface.of(Kind.GRASS, at.x.shape)
    ring = 7.5 + 3.0 * uniform(at.block, 41)
    paved = (uniform(at.block, 42) < 0.4) | (at.depth < ring + 2.5)
    part.put(paved, Kind.YARD, tone=uniform(at.block, 43))
    back = sites(at, 12.5, 1.5, 14.0, 202)
    _build(part, back, 2.4 + 1.5 * uniform(back.site, 44), Kind.HALL, 0.5)
    width = 6.5 + 5.0 * uniform(at.street, 45)
    plot = np.floor(at.along / width)
    house = mix(at.block, at.street, plot)
    depth = ring - 2.2 * uniform(house, 46)
    eaves = 4.6 + 2.7 * np.floor(2.6 * uniform(house, 47))
    across = (at.along / width - plot - np.float32(0.5)) * width
    ridge_along = uniform(house, 48) < 0.6
    slope = 0.9 + 0.3 * uniform(house, 49)
    roof = np.where(ridge_along, gable(at.depth - depth / 2, depth / 2, slope), gable(across, width / 2, slope))
    gap = (uniform(house, 50) < 0.09) & (at.depth < ring)
    built = (at.depth > 0.2) & (at.depth < depth) & ~gap
    kind = np.where(uniform(house, 51) < 0.86, Kind.HOUSE, Kind.HALL)
    part.put(built, kind, (eaves + roof).astype(np.float32), uniform(house, 52))
    return part


def market(at: Land, gsd: float) -> Surface:
    """Cobbled squares with a church, stalls and parked cars."""
    part = Surface.of(Kind.PAVEMENT, at.x.shape)
    part.shade = 0.93 + 0.14 * uniform(7, np.floor(at.x / 1.1), np.floor(at.y / 0.8))
    rows = (np.abs(at.y - 17) < 2.7) | (np.abs(at.y + 17) < 2.7)
    lot = rows & (at.depth > 3)
    lines = stroke((at.x + 1.25) % 2.5 - 1.25, 0.06, gsd)
    part.put(lot, Kind.PARKING, shade=1 + 0.7 * lines)
    park_cars(
        part, lot, at.x % 2.5 - 1.25, np.where(at.y > 0, at.y - 14.3, at.y + 19.7), 5.4, 0.55, at.block, at.x // 2.5
    )
    stall = (np.abs(at.x + 22) < 5) & (at.x % 3.4 < 2.4) & (at.y % 3.4 < 2.4) & (np.abs(at.y) < 12) & (at.depth > 2)
    part.put(stall, Kind.HALL, 2.6, uniform(at.block, 61, np.floor(at.x / 3.4), np.floor(at.y / 3.4)))
    nave = (np.abs(at.x) < 14) & (np.abs(at.y) < 6)
    aisle = (np.abs(at.x - 5) < 4) & (np.abs(at.y) < 10)
    roof = np.maximum(9 + gable(at.y, 6, 1.15), np.where(aisle, 9 + gable(at.x - 5, 4, 1.3), 0))
    part.put(nave | aisle, Kind.HALL, roof.astype(np.float32), 0.05)
    spire = np.minimum(3.4 - np.abs(at.x + 17), 3.4 - np.abs(at.y))
    part.put(spire > 0, Kind.HALL, (19 + 3.6 * spire).astype(np.float32), 0.15)
    return part


def farms(at: Land, gsd: float) -> Surface:
    """Farmyards with long barns, between meadows and strips of tilled land."""
    part = Surface.of(Kind.DRY_GRASS, at.x.shape)
    strip = mix(at.block, np.floor((at.x + 5 * np.sin(at.y / 13)) / 11))
    use = uniform(strip, 71)
    furrows = np.where((at.x + 5 * np.sin(at.y / 13)) % 1.8 < 0.9, np.float32(0.88), np.float32(1.08))
    part.put(use < 0.3, Kind.SOIL, tone=uniform(strip, 72), shade=furrows)
    part.put(use > 0.7, Kind.GRASS, shade=0.9)
    yard = smooth(32, at.u, at.v, 17.0) + np.hypot(at.x, at.y) / 26
    part.put(yard < 1.3, Kind.YARD, tone=0.8)
    on = sites(at, 27.0, 2.6, 2.0, 203)
    near = uniform(on.site, 73) < 0.8
    barns = Sites(on.x, on.y, on.half_x, on.half_y, on.site, on.built & near)
    _build(part, barns, 3.4 + 2.4 * uniform(on.site, 74), Kind.HALL, 0.6)
    return part


def works(at: Land, gsd: float) -> Surface:
    """Workshops with saw-tooth and pitched roofs in gravel yards, and a chimney."""
    part = Surface.of(Kind.YARD, at.x.shape)
    part.tone = uniform(at.block, 81)
    part.put(at.depth < 3, Kind.GRASS)
    on = sites(at, 33.0, 1.6, 2.5, 204)
    lot = on.built & (np.abs(on.y + on.half_y + 3.6) < 2.6) & (np.abs(on.x) < on.half_x) & (at.depth > 1)
    part.put(lot, Kind.PARKING)
    park_cars(part, lot, on.x % 2.5 - 1.25, on.y + on.half_y + 6.2, 5.2, 0.6, on.site, np.floor(on.x / 2.5))
    teeth = 1.8 - (on.x % 6) * np.float32(0.3)
    tall = 4.5 + 4.0 * uniform(on.site, 82)
    shed = (on.inset > 0) & (uniform(on.site, 83) < 0.5)
    _build(part, on, tall, Kind.HALL, 0.35)
    part.put(shed, Kind.HALL, (tall + teeth).astype(np.float32), uniform(on.site, 84))
    stack = np.hypot(on.x - on.half_x + 3, on.y) < 1.5
    part.put(shed & stack, Kind.HALL, 27.0, 0.99)
    return part


def grove(at: Land, gsd: float) -> Surface:
    """Woods and lawns with winding paths, and a pond in some."""
    part = Surface.of(Kind.PARK, at.x.shape)
    wave = 9 * np.sin(at.x / 17 + 6 * uniform(at.block, 91))
    part.put((np.abs(at.y - wave) < 0.9) | (np.abs(np.hypot(at.x, at.y - wave) - 19) < 0.8), Kind.YARD, tone=0.1)
    shore = np.hypot(at.x / 24, at.y / 13) + smooth(33, at.u, at.v, 8.0)
    pond = uniform(at.block, 92) < 0.4
    part.put(pond & (shore < 1.15), Kind.DRY_GRASS)
    part.put(pond & (shore < 1.0), Kind.WATER, tone=0.5)
    return part


def pitch(at: Land, gsd: float) -> Surface:
    """Playing fields of artificial turf."""
    part = Surface.of(Kind.GRASS, at.x.shape)
    inset = np.minimum(27 - np.abs(at.x), 16 - np.abs(at.y))
    part.put((inset > -2.5) & (at.depth > 1.5), Kind.SOIL, tone=0.99)
    lines = np.maximum.reduce([stroke(inset - 1, 0.07, gsd), stroke(at.x, 0.07, gsd)])
    part.put((inset > 0) & (at.depth > 2.5), Kind.TURF, shade=1 + 0.8 * lines)
    return part


USES = (cottages, old_town, market, farms, works, grove, pitch)


def use_of(block: NDArray[np.uint32], centrality: Floats, riverside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the use of each block, as an index of ``USES``.

    Parameters
    ----------
    block : array of uint32
        Random numbers of the blocks.
    centrality : array of float32 in [0, 1]
        Urban density of the quarter.
    riverside : array of bool
        Blocks at the river, which are groves.
    """
    pick = uniform(block, 11)
    rules = [  # the first that holds decides
        (riverside | (pick < 0.07), grove),
        (pick < 0.09, pitch),
        (pick < 0.17, works),
        ((centrality > 0.5) & (pick < 0.22), market),
        (centrality > 0.5, old_town),
        (centrality < 0.3, farms),
    ]
    return first_that_holds(rules, USES, cottages)
