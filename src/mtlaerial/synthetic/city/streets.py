"""The street network: which block a point lies in, and what streets look like."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids, Ints, mix, uniform
from mtlaerial.synthetic.city.surface import Kind, Lots, Surface

PITCH = (94.0, 68.0)
"""Mean distance of parallel streets in metres, in both directions."""
MAIN_EVERY = (3, 4)
"""Each how-manieth street is a main street."""


@dataclass(frozen=True)
class Streets:
    """Points between the four streets around them: west, east, north, south along the first axis.

    What is the same for all points of a block is kept once for each block, as few blocks have many points.

    Attributes
    ----------
    where : integer array, shape (…)
        The block of each point: index in the arrays of blocks.
    distance : array of float32, shape (4, …)
        Metres to the street's axis.
    half : array of float32, shape (4, blocks)
        Half the width of its carriageway in metres.
    street, block : array of uint32, shapes (4, blocks) and (blocks)
        Random numbers of streets and block.
    main : array of bool, shape (4, blocks)
        Main streets.
    centre : tuple of two arrays of shape (blocks)
        The block's centre in the street network's coordinates.
    """

    where: NDArray[Any]
    distance: Floats
    half: Floats
    street: Ids
    main: NDArray[np.bool_]
    block: Ids
    centre: tuple[Floats, Floats]

    @property
    def margin(self) -> Floats:
        """Half the street's width with its pavement, in metres, shape (4, blocks)."""
        return self.half + np.where(self.main, np.float32(3.2), np.float32(2.0))

    def lots(self, here: NDArray[np.bool_]) -> Lots:
        """Return some of the points, seen from the land between the pavements."""
        where = self.where[here]
        west, east, north, south = self.distance[:, here] - self.margin.take(where, axis=1)
        return Lots(self.block[where], west, north, west + east, north + south)

    @property
    def on_main(self) -> NDArray[np.bool_]:
        """Points on a main street, pavements included."""
        reach = np.where(self.main, self.margin, np.float32(-np.inf))
        return np.asarray((self.distance < reach.take(self.where, axis=1)).any(axis=0))

    @cached_property
    def nearest(self) -> tuple[NDArray[Any], Floats]:
        """Return the street whose carriageway is nearest to each point, and the distance to it in metres."""
        gap = self.distance - self.half.take(self.where, axis=1)
        side = gap.argmin(axis=0)
        return side, np.take_along_axis(gap, side[None], 0)[0]

    @cached_property
    def paved(self) -> NDArray[np.bool_]:
        """Points on a street, pavements included."""
        side, gap = self.nearest
        return np.asarray(gap < (self.margin - self.half)[side, self.where])


def locate(seed: int, u: Floats, v: Floats) -> Streets:
    """Find the streets around points given in the street network's coordinates (metres)."""
    columns, rows = (_lines(t, pitch) for t, pitch in zip((u, v), PITCH, strict=True))
    # Side streets are staggered from one column of blocks to the next; main streets run through.
    stagger = np.where(rows[:, None] % MAIN_EVERY[1] == 0, 0, columns)
    wests = _positions(columns, PITCH[0], uniform(seed, 1, columns))
    norths = _positions(rows[:, None], PITCH[1], uniform(seed, 2, rows[:, None], stagger))
    column = _index(u, PITCH[0], columns)
    column -= u < wests[column]
    row = _index(v, PITCH[1], rows)
    row -= v < norths[row, column]
    shape = len(rows) - 1, len(columns) - 1
    sides = wests[:-1], wests[1:], norths[:-1, :-1], norths[1:, :-1]
    west, east, north, south = (np.broadcast_to(side, shape).ravel() for side in sides)
    ends = columns[:-1], columns[1:], rows[:-1, None], rows[1:, None]
    lines = np.stack([np.broadcast_to(end, shape).ravel() for end in ends])
    every = np.repeat(MAIN_EVERY, 2)[:, None]
    main, street = lines % every == 0, mix(seed, 3, every, lines)
    half = np.where(main, np.float32(6.6), np.float32(2.9) + uniform(street, 1))
    where = row * np.int32(shape[1]) + column
    distance = np.stack([u - west[where], east[where] - u, v - north[where], south[where] - v])
    centre = (west + east) / 2, (north + south) / 2
    return Streets(where, distance, half, street, main, mix(seed, 4, lines[0], lines[2]), centre)


def _lines(t: Floats, pitch: float) -> Ints:
    """Return the indices of all parallel streets that may be next to one of the points."""
    ends = np.floor(np.array([t.min(), t.max()]) / np.float32(pitch)).astype(np.int32)
    return np.arange(ends[0] - 1, ends[1] + 3, dtype=np.int32)


def _positions(index: Ints, pitch: float, jitter: Floats) -> Floats:
    return np.asarray((index.astype(np.float32) + np.float32(0.4) * jitter) * np.float32(pitch), np.float32)


def _index(t: Floats, pitch: float, lines: Ints) -> Ints:
    """Return which of the lines is before each point, were there no jitter."""
    return np.asarray(np.floor(t / np.float32(pitch)).astype(np.int32) - lines[0])


def pave(surface: Surface, streets: Streets, u: Floats, v: Floats, gsd: float) -> None:
    """Lay streets and pavements, with markings and cars, over a surface."""
    inside = streets.paved
    part = Surface.of(Kind.PAVEMENT, u[inside].shape)
    part.shade = _slabs(u[inside], v[inside])
    side, block, distance = streets.nearest[0][inside], streets.where[inside], streets.distance[:, inside]
    across = np.take_along_axis(distance, side[None], 0)[0]
    half, main, street = (of_block[side, block] for of_block in (streets.half, streets.main, streets.street))
    along = np.where(side < 2, v[inside], u[inside])
    # Gaps to the crossing streets, to keep junctions clear.
    gaps = distance - streets.half.take(block, axis=1)
    crossing = np.where(side < 2, gaps[2:].min(axis=0), gaps[:2].min(axis=0))
    crossed = np.stack([streets.main[2:].any(axis=0), streets.main[:2].any(axis=0)])[side // 2, block]
    road = across < half
    lane = _carriageway(gsd, *(a[road] for a in (across, along, half, main, crossing)))
    _crosswalks(lane, *(a[road] for a in (across, crossing, main & crossed)))
    _park(lane, *(a[road] for a in (across, along, half, main, crossing, street, side)))
    part.insert(road, lane)
    surface.insert(inside, part)


def _slabs(u: Floats, v: Floats) -> Floats:
    return np.float32(0.94) + np.float32(0.1) * uniform(5, np.floor(u / 1.6), np.floor(v / 1.6))


def _carriageway(
    gsd: float, across: Floats, along: Floats, half: Floats, main: NDArray[np.bool_], crossing: Floats
) -> Surface:
    part = Surface.of(Kind.ROAD, across.shape)
    part.kind[main] = Kind.MAIN_ROAD
    dashes = (along % 8 < 4) & (crossing > 2.0)
    centre = np.where(dashes | main, stroke(across, 0.14, gsd), 0) * (crossing > 2.0)
    lanes = np.where(dashes & main, stroke(across - 3.4, 0.12, gsd), 0)
    kerb = stroke(across - half + 0.3, 0.1, gsd) * main * (crossing > 1.0)
    part.shade += np.float32(1.5) * np.maximum.reduce([centre, lanes, 0.6 * kerb])
    # Tyres darken the lanes.
    part.shade -= np.float32(0.06) * np.cos(across * np.float32(3.5))
    return part


def stroke(distance: Floats, half_width: float, gsd: float) -> Floats:
    """Return how much of a pixel a painted line covers, 0 to 1, from the distance to the line's axis."""
    most = min(1.0, 2 * half_width / gsd)
    return np.clip((half_width + gsd / 2 - np.abs(distance)) / gsd, 0, most).astype(np.float32)


def _crosswalks(part: Surface, across: Floats, crossing: Floats, where: NDArray[np.bool_]) -> None:
    zebra = where & (crossing > 3.4) & (crossing < 6.6)
    part.put(zebra, Kind.CROSSWALK, shade=np.where(across % 1.2 < 0.6, np.float32(2.4), np.float32(1.0)))


def _park(
    part: Surface, across: Any, along: Floats, half: Floats, main: NDArray[np.bool_], crossing: Floats, *keys: Any
) -> None:
    """Put cars at the kerbs of side streets, and on the lanes of main streets."""
    lanes = ((~main, half - 1.1, 6.4, 0.42), (main, 2.0, 19.0, 0.4), (main, 4.9, 23.0, 0.3))
    for number, (where, axis, pitch, share) in enumerate(lanes):
        park_cars(part, where & (crossing > 3.5), across - axis, along, pitch, share, *keys, number)


def park_cars(
    part: Surface, where: NDArray[Any], across: Any, along: Floats, pitch: float, share: float, *keys: Any
) -> None:
    """Put cars on a lane, in some of the slots of ``pitch`` metres along it; ``across`` is from the lane's axis."""
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
