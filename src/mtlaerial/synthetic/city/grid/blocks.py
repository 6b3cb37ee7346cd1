"""Blocks of land between streets: a function per use, which returns the cover of points in a block."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.markings import park_cars, stroke
from mtlaerial.synthetic.city.noise import Floats, mix, smooth, uniform
from mtlaerial.synthetic.city.roofs import gable, hip, rooftop
from mtlaerial.synthetic.city.rules import first_that_holds
from mtlaerial.synthetic.city.surface import Kind, Lots, Surface


def houses(at: Lots, gsd: float) -> Surface:
    """Detached houses in gardens, two rows back to back, with garages, drives, terraces, pools and beds."""
    part = Surface.of(Kind.GRASS, at.x.shape)
    front = np.minimum(at.y, at.depth - at.y)
    count = np.maximum(1, np.round(at.width / 19))
    frontage = at.width / count
    lot = mix(at.block, np.floor(at.x / frontage), at.y < at.depth / 2)
    u = [uniform(lot, key) for key in range(12)]
    half_x, half_y = np.minimum(frontage / 2 - 3.4, 4.2 + 2.4 * u[0]), 3.9 + 1.6 * u[1]
    x = (at.x % frontage - frontage / 2 + 1.4) * np.where(u[2] < 0.5, -1, 1)
    y = front - (3.0 + 3.5 * u[3] + half_y)
    part.tone = u[9]
    part.put(front > at.depth / 2 - 0.35, Kind.GRASS, shade=0.72)
    part.put((u[4] < 0.3) & (y > half_y + 6) & (np.abs(x - 2) < 3), Kind.SOIL, shade=0.85 + 0.3 * (x % 1.2 < 0.6))
    part.put((y > half_y) & (y < half_y + 3) & (np.abs(x) < 3.2), Kind.YARD, tone=u[5])
    pool = ((x + 1) / 3.6) ** 2 + ((y - half_y - 6.5) / 2.1) ** 2
    part.put((u[6] < 0.14) & (pool < 1.5), Kind.YARD, tone=0.1)
    part.put((u[6] < 0.14) & (pool < 1), Kind.WATER, tone=0.9)
    garage = (x > half_x) & (x < half_x + 3.1) & (u[7] < 0.75)
    part.put(garage & (y < -half_y) | (np.abs(x) < 0.7) & (y < -half_y), Kind.YARD, tone=u[8])
    # A car in some drives.
    park_cars(part, garage & (y < -half_y), x - half_x - 1.55, y + half_y + 6, 6.0, 0.4, lot)
    part.put(garage & (y >= -half_y) & (y < -half_y + 6), Kind.HOUSE, 2.7, 0.97)
    inside = (np.abs(x) < half_x) & (np.abs(y) < half_y)
    part.put(inside, Kind.HOUSE, _roof(x, y, half_x, half_y, u[10], 2.9 + 2.9 * (u[11] < 0.5)), u[9])
    # A wing makes some roofs L-shaped.
    wing = (u[8] < 0.4) & (np.abs(x + half_x - 2.6) < 2.6) & (y > -half_y) & (y < half_y + 3.2)
    crown = gable(x + half_x - 2.6, 2.6, 0.75) + 2.9
    part.put(wing & (crown > part.height), Kind.HOUSE, crown, u[9])
    return part


def _roof(x: Floats, y: Floats, half_x: Floats, half_y: Floats, choice: Floats, eaves: Floats) -> Floats:
    """Return the height of roofs that are hipped, gabled along either side, or flat, depending on ``choice``."""
    slope = 0.55 + 0.5 * choice
    roofs = [hip(x, y, half_x, half_y, slope), gable(y, half_y, slope), gable(x, half_x, slope), 0.3 + 0 * x]
    return np.asarray(np.select([choice < 0.35, choice < 0.68, choice < 0.9], roofs[:3], roofs[3]) + eaves, np.float32)


def perimeter(at: Lots, gsd: float) -> Surface:
    """Town houses wall to wall around a courtyard."""
    part = Surface.of(Kind.GRASS, at.x.shape)
    edges = at.edges
    side, depth = edges.argmin(axis=0), edges.min(axis=0)
    along = np.where(side < 2, at.y, at.x)
    ring = np.minimum(11.5, 0.27 * np.minimum(at.width, at.depth))
    house = mix(at.block, side, np.floor(along / 15.5))
    paved = (uniform(at.block, 21) < 0.4) | (depth < ring + 4)
    part.put(paved, Kind.YARD, tone=uniform(at.block, 22))
    slots = paved & (depth > ring + 5) & (uniform(at.block, 23) < 0.6)
    park_cars(part, slots, at.x % 9 - 2.5, at.y, 6.0, 0.3, at.block, np.floor(at.x / 9))
    shed = mix(house, 3)
    part.put((depth > ring + 4) & (depth < ring + 8) & (uniform(shed, 1) < 0.25), Kind.HALL, 3.1, uniform(shed, 2))
    open_passage = (uniform(house, 1) < 0.07) & (along % 15.5 < 5)
    eaves = 8.5 + 2.9 * np.floor(3 * uniform(house, 2))
    roof = eaves + gable(depth - ring / 2, ring / 2, 0.62)
    flat = uniform(house, 4) < 0.2
    top = np.where(flat, rooftop(at.x, at.y, depth, eaves + 1, house), roof)
    kind = np.where(uniform(at.block, 24) < 0.75, Kind.HOUSE, Kind.HALL)
    built = (depth > 0.3) & (depth < ring) & ~open_passage
    part.put(built, np.where(flat, Kind.HALL, kind), top, uniform(house, 5))
    return part


def commerce(at: Lots, gsd: float) -> Surface:
    """Large flat-roofed halls beside their car parks, some with an office tower."""
    part = Surface.of(Kind.PARKING, at.x.shape)
    _car_park(part, at, gsd)
    part.put(at.edges.min(axis=0) < 2.2, Kind.GRASS, shade=0.9)
    u = [uniform(at.block, key) for key in range(8)]
    east = np.where(u[0] < 0.5, at.x, at.width - at.x)
    length = at.width * (0.38 + 0.25 * u[1])
    hall = np.stack([east - 6, length - east, at.y - 5, at.depth - 5 - at.y]).min(axis=0)
    part.put(hall > -2.5, Kind.PAVEMENT)
    part.put(hall > 0, Kind.HALL, rooftop(at.x, at.y, hall, 6 + 4.5 * u[2], at.block), u[3])
    tower = np.stack([east - 9, 23 + 5 * u[4] - east, at.y - 8, 24 + 6 * u[5] - at.y]).min(axis=0)
    tall = (tower > 0) & (hall > 0) & (u[6] < 0.5)
    part.put(tall, Kind.HALL, rooftop(at.x, at.y, tower, 15 + 8 * u[7], at.block + np.uint32(1)), u[5])
    return part


def _car_park(part: Surface, at: Lots, gsd: float) -> None:
    """Paint stalls in double rows with aisles between, and park cars in them."""
    row, across = np.floor((at.y - 3) / 16.5), (at.y - 3) % 16.5
    stalls = (across < 10.4) & (at.edges.min(axis=0) > 3)
    second = across >= 5.2
    lines = np.maximum(stroke((at.x + 1.3) % 2.6 - 1.3, 0.07, gsd), stroke(across - 5.2, 0.07, gsd))
    part.put(stalls, Kind.PARKING, shade=1 + 1.2 * lines)
    stall = np.floor(at.x / 2.6)
    park_cars(part, stalls, at.x % 2.6 - 1.3, across, 5.2, 0.55, at.block, row, stall, second)


def slabs(at: Lots, gsd: float) -> Surface:
    """Long blocks of flats with flat roofs, on lawns."""
    part = Surface.of(Kind.PARK, at.x.shape)
    count = np.maximum(1, np.round(at.depth / 30))
    pitch = at.depth / count
    slab = mix(at.block, np.floor(at.y / pitch))
    y = at.y % pitch - pitch / 2
    half = at.width / 2 - 7 - 8 * uniform(slab, 1)
    inset = np.minimum(half - np.abs(at.x - at.width / 2), 6.2 - np.abs(y))
    part.put(np.abs(y - 9) < 1.1, Kind.YARD, tone=0.4)
    lot = (np.abs(y + 10.2) < 2.6) & (np.abs(at.x - at.width / 2) < half)
    part.put(lot, Kind.PARKING)
    park_cars(part, lot, at.x % 2.6 - 1.3, y + 12.8, 5.2, 0.6, slab, np.floor(at.x / 2.6))
    height = 11 + 2.8 * np.floor(4.4 * uniform(slab, 2))
    part.put(inset > 0, Kind.HOUSE, rooftop(at.x, at.y, inset, height, slab), 0.72 + 0.2 * uniform(slab, 3))
    return part


def park(at: Lots, gsd: float) -> Surface:
    """Lawns with paths, and a pond in some."""
    part = Surface.of(Kind.PARK, at.x.shape)
    x, y = at.x - at.width / 2, at.y - at.depth / 2
    ring = at.edges.min(axis=0)
    bend = 6 * np.sin(x / 11 + 6 * uniform(at.block, 1))
    part.put((np.abs(ring - 7) < 1.1) | (np.abs(y - bend) < 1.1) | (np.abs(x + bend) < 1.0), Kind.YARD, tone=0.05)
    wobble = smooth(31, at.x + 50 * uniform(at.block, 2), at.y, 9.0)
    shore = np.hypot(x / at.width, y / at.depth) * 4.4 - wobble
    pond = uniform(at.block, 3) < 0.55
    part.put(pond & (shore < 0.62), Kind.YARD, tone=0.05)
    part.put(pond & (shore < 0.5), Kind.WATER, tone=0.3)
    return part


def sports(at: Lots, gsd: float) -> Surface:
    """Playing fields inside running tracks."""
    part = Surface.of(Kind.PARK, at.x.shape)
    x, y = at.x - at.width / 2, at.y - at.depth / 2
    half_y = np.minimum(at.depth / 2 - 3, 24)
    straight = np.maximum(at.width / 2 - half_y - 3, 0)
    radius = np.hypot(np.maximum(np.abs(x) - straight, 0), y)
    track = radius < half_y
    part.put(track, Kind.SOIL, tone=0.95, shade=1 + 0.6 * stroke(radius % 1.2 - 0.6, 0.05, gsd))
    part.put(radius < half_y - 5, Kind.TURF, shade=0.85)
    part.put((radius > half_y) & (radius < half_y + 3), Kind.PAVEMENT)
    half = straight + half_y * 0.25, half_y * 0.62
    edge = np.minimum(half[0] - np.abs(x), half[1] - np.abs(y))
    lines = np.maximum.reduce(
        [stroke(edge - 1, 0.08, gsd), stroke(x, 0.08, gsd), stroke(np.hypot(x, y) - 6, 0.08, gsd)]
    )
    mown = np.where(x % 10 < 5, np.float32(0.93), np.float32(1.07))
    part.put(edge > 0, Kind.TURF, shade=mown + 1.1 * lines * (edge > 0.7))
    return part


def fields(at: Lots, gsd: float) -> Surface:
    """Allotments: strips of bare soil, dry grass and meadow."""
    part = Surface.of(Kind.DRY_GRASS, at.x.shape)
    strip = mix(at.block, np.floor(at.x / 14))
    pick = uniform(strip, 1)
    furrows = np.where(at.y % 1.5 < 0.75, np.float32(0.9), np.float32(1.08))
    part.put(pick < 0.4, Kind.SOIL, tone=uniform(strip, 2) * 0.8, shade=furrows)
    part.put(pick > 0.75, Kind.GRASS, shade=furrows)
    x, y = at.x % 14 - 4, at.y - 6 - 8 * uniform(strip, 3)
    shed = (np.abs(x) < 1.9) & (np.abs(y) < 1.6) & (uniform(strip, 4) < 0.6)
    part.put(shed, Kind.HOUSE, 2.3 + gable(x, 1.9, 0.4), uniform(strip, 5))
    part.put(at.x % 14 < 0.8, Kind.GRASS, shade=0.8)
    return part


USES = (houses, perimeter, commerce, slabs, park, sports, fields)


def use_of(block: NDArray[np.uint32], centrality: Floats, riverside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the use of each block, as an index of ``USES``.

    Parameters
    ----------
    block : array of uint32
        Random numbers of the blocks.
    centrality : array of float32 in [0, 1]
        Urban density of the quarter.
    riverside : array of bool
        Blocks at the river, which are parks.
    """
    pick = uniform(block, 11)
    rules = [  # the first that holds decides
        (riverside | (pick < 0.07), park),
        (pick < 0.11, sports),
        (pick < 0.24, commerce),
        ((centrality < 0.42) & (pick < 0.36), fields),
        (centrality > 0.6, perimeter),
        ((centrality > 0.5) & (pick > 0.8), slabs),
    ]
    return first_that_holds(rules, USES, houses)
