"""The street network: which block a point lies in, and what streets look like."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.datasets.city.noise import Floats, Ids, mix, uniform
from mtlaerial.datasets.city.surface import Kind, Lots, Surface

PITCH = (94.0, 68.0)
"""Mean distance of parallel streets in metres, in both directions."""
MAIN_EVERY = (3, 4)
"""Each how-manieth street is a main street."""


@dataclass(frozen=True)
class Streets:
    """Points between the four streets around them: west, east, north, south along the first axis.

    Attributes
    ----------
    distance : array of float32, shape (4, …)
        Metres to the street's axis.
    half : array of float32, shape (4, …)
        Half the width of its carriageway in metres.
    street, block : array of uint32, shapes (4, …) and (…)
        Random numbers of streets and block.
    main : array of bool, shape (4, …)
        Main streets.
    centre : tuple of two arrays
        The block's centre in the street network's coordinates.
    """

    distance: Floats
    half: Floats
    street: Ids
    main: NDArray[np.bool_]
    block: Ids
    centre: tuple[Floats, Floats]

    @property
    def margin(self) -> Floats:
        """Half the street's width with its pavement, in metres, shape (4, …)."""
        return self.half + np.where(self.main, np.float32(3.2), np.float32(2.0))

    @property
    def lots(self) -> Lots:
        """The same points seen from the land between the pavements."""
        west, east, north, south = self.distance - self.margin
        return Lots(self.block, west, north, west + east, north + south)

    @property
    def on_main(self) -> NDArray[np.bool_]:
        """Points on a main street, pavements included."""
        return np.asarray((self.main & (self.distance < self.margin)).any(axis=0))


def locate(seed: int, u: Floats, v: Floats) -> Streets:
    """Find the streets around points given in the street network's coordinates (metres)."""
    column, west, east = _between(u, PITCH[0], lambda line: uniform(seed, 1, line))

    def offset(line: NDArray[np.int32]) -> Floats:
        # Side streets are staggered from one column of blocks to the next; main streets run through.
        return uniform(seed, 2, line, np.where(line % MAIN_EVERY[1] == 0, 0, column))

    row, north, south = _between(v, PITCH[1], offset)
    lines = np.stack([column, column + 1, row, row + 1])
    every = np.repeat(MAIN_EVERY, 2).reshape((4,) + (1,) * u.ndim)
    main = lines % every == 0
    street = mix(seed, 3, every, lines)
    half = np.where(main, np.float32(6.6), np.float32(2.9) + uniform(street, 1))
    distance = np.stack([u - west, east - u, v - north, south - v])
    return Streets(distance, half, street, main, mix(seed, 4, column, row), ((west + east) / 2, (north + south) / 2))


def _between(t: Floats, pitch: float, jitter: Any) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Return the index of the line before each point, and the positions of the lines before and after it."""

    def line(index: NDArray[np.int32]) -> Floats:
        return np.asarray((index.astype(np.float32) + np.float32(0.4) * jitter(index)) * np.float32(pitch), np.float32)

    index = np.floor(t / np.float32(pitch)).astype(np.int32)
    index -= t < line(index)
    return index, line(index), line(index + 1)


def pave(surface: Surface, streets: Streets, u: Floats, v: Floats, gsd: float) -> None:
    """Lay streets and pavements, with markings and cars, over a surface."""
    gap = streets.distance - streets.half
    nearest = gap.argmin(axis=0)[None]
    reach, gap_across = (np.take_along_axis(a, nearest, 0)[0] for a in (streets.margin - streets.half, gap))
    inside = np.asarray(gap_across < reach)
    surface.put(inside, Kind.PAVEMENT, shade=_slabs(u, v))
    across, half, main, street = (
        np.take_along_axis(a, nearest, 0)[0][inside]
        for a in (streets.distance, streets.half, streets.main, streets.street)
    )
    side = nearest[0][inside]
    along = np.where(side < 2, v[inside], u[inside])
    # Gaps to the crossing streets, to keep junctions clear.
    gaps, mains = gap[:, inside], streets.main[:, inside]
    crossing = np.where(side < 2, gaps[2:].min(axis=0), gaps[:2].min(axis=0))
    crossed = np.where(side < 2, mains[2:].any(axis=0), mains[:2].any(axis=0))
    part = _carriageway(across, along, half, main, gsd, crossing)
    _crosswalks(part, across, half, crossing, main & crossed)
    lanes = ((~main, half - 1.1, 6.4, 0.42), (main, 2.0, 19.0, 0.4), (main, 4.9, 23.0, 0.3))
    for number, (where, axis, pitch, share) in enumerate(lanes):
        lane = where & (crossing > 3.5) & (across < half)
        park_cars(part, lane, across - axis, along, pitch, share, street, side, number)
    road = across < half
    chosen = inside.copy()
    chosen[inside] = road
    surface.insert(chosen, Surface(part.kind[road], part.height[road], part.tone[road], part.shade[road]))


def _slabs(u: Floats, v: Floats) -> Floats:
    return np.float32(0.94) + np.float32(0.1) * uniform(5, np.floor(u / 1.6), np.floor(v / 1.6))


def _carriageway(
    across: Floats, along: Floats, half: Floats, main: NDArray[np.bool_], gsd: float, crossing: Floats
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


def _crosswalks(part: Surface, across: Floats, half: Floats, crossing: Floats, where: NDArray[np.bool_]) -> None:
    zebra = where & (crossing > 3.4) & (crossing < 6.6) & (across < half)
    part.put(zebra, Kind.CROSSWALK, shade=np.where(across % 1.2 < 0.6, np.float32(2.4), np.float32(1.0)))


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
