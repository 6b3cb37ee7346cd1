"""The street network of a grown town: streets between the cells of a Voronoi diagram, which are the blocks.

The diagram's sites are jittered points of a lattice, so that any part of it can be computed by itself.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids, Ints, mix, smooth, uniform

PITCH = 76.0
"""Mean distance of blocks in metres."""
QUARTER = 260.0
"""Mean distance of quarters in metres; main streets run between them."""
_JITTER = 0.62
"""Range of a site in its lattice cell: the nearest site is then in one of the 3 x 3 cells around a point."""
_AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
_NEIGHBOURS = [step for step in _AROUND if step != (0, 0)]


@dataclass(frozen=True)
class Blocks:
    """Blocks of a part of the lattice, and the streets to their eight neighbours in it.

    Attributes
    ----------
    block : array of uint32, shape (blocks,)
        Random numbers of the blocks.
    u, v : array of float32, shape (blocks,)
        Their sites in metres.
    normal : array of float32, shape (2, 8, blocks)
        Unit vectors towards the neighbours.
    offset : array of float32, shape (8, blocks)
        Position of the street's axis along the normal, in metres.
    half, pavement : array of float32, shape (8, blocks)
        Half the width of the carriageway and the width of its pavement, in metres.
    main, path : array of bool, shape (8, blocks)
        Whether the street is a main street, or only a footpath.
    street : array of uint32, shape (8, blocks)
        Random numbers of the streets, equal on both sides.
    """

    block: Ids
    u: Floats
    v: Floats
    normal: Floats
    offset: Floats
    half: Floats
    pavement: Floats
    main: NDArray[np.bool_]
    path: NDArray[np.bool_]
    street: Ids


@dataclass(frozen=True)
class Network:
    """Points among the streets around them.

    Attributes
    ----------
    blocks : Blocks
    index : integer array
        The block of each point.
    side : integer array
        The street with the nearest carriageway, as an index of the first axis of the blocks' arrays.
    gap : array of float32
        Distance to that carriageway in metres, negative on it.
    crossing : array of float32
        Distance to the second nearest carriageway in metres.
    u, v : array of float32
        The points.
    """

    blocks: Blocks
    index: NDArray[Any]
    side: NDArray[Any]
    gap: Floats
    crossing: Floats
    u: Floats
    v: Floats

    def of_street(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the property of each point's nearest street, from an array of the blocks of shape (8, blocks)."""
        return values[self.side, self.index]

    @cached_property
    def depth(self) -> Floats:
        """Distance to the nearest pavement in metres, positive within blocks."""
        return np.asarray(self.gap - self.of_street(self.blocks.pavement), np.float32)

    @cached_property
    def along(self) -> Floats:
        """Position along the nearest street in metres, which both sides of the street share."""
        east, south = (self.of_street(component) for component in self.blocks.normal)
        # Both sides see the street's normal with opposite signs.
        sign = np.where((east > 0) | ((east == 0) & (south > 0)), np.float32(1), np.float32(-1))
        return np.asarray((self.v * east - self.u * south) * sign, np.float32)

    def __getitem__(self, here: NDArray[np.bool_]) -> "Network":
        """Return the points of a mask."""
        return Network(
            self.blocks,
            self.index[here],
            self.side[here],
            self.gap[here],
            self.crossing[here],
            self.u[here],
            self.v[here],
        )


def locate(seed: int, u: Floats, v: Floats) -> Network:
    """Return the streets around points, given in coordinates of the town (metres)."""
    u, v = _bent(seed, u, v)
    rows, columns = _cells(v), _cells(u)
    blocks = _blocks(seed, rows, columns)
    index = _nearest(blocks, u, v, rows, columns)
    side, gap = np.zeros(u.shape, np.uint8), np.full(u.shape, np.inf, np.float32)
    crossing = gap.copy()
    edge = blocks.offset - blocks.half
    for number in range(len(_NEIGHBOURS)):
        east, south = blocks.normal[:, number]
        distance = edge[number].take(index) - east.take(index) * u - south.take(index) * v
        nearer = distance < gap
        np.minimum(crossing, np.where(nearer, gap, distance), out=crossing)
        np.minimum(gap, distance, out=gap)
        side[nearer] = number
    return Network(blocks, index, side, gap, crossing, u, v)


def _bent(seed: int, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Return coordinates in which the streets are straight: they bend every few houses."""
    bend = [np.float32(11) * smooth(mix(seed, 163, axis).item(), u, v, 62.0) for axis in (0, 1)]
    return np.asarray(u + bend[0], np.float32), np.asarray(v + bend[1], np.float32)


def _cells(t: Floats) -> Ints:
    """Return the indices of the lattice cells that hold the sites of all points, and those around them."""
    first, last = np.floor(np.array([t.min(), t.max()]) / np.float32(PITCH)).astype(np.int32)
    return np.arange(first - 2, last + 3, dtype=np.int32)


def _sites(seed: int, rows: Ints, columns: Ints, pitch: float) -> tuple[Ids, Floats, Floats]:
    """Return random numbers and positions of the sites of lattice cells."""
    site = mix(seed, 161, rows, columns)
    middle = np.float32(0.5 - _JITTER / 2)
    u = (columns + middle + np.float32(_JITTER) * uniform(site, 1)) * np.float32(pitch)
    v = (rows + middle + np.float32(_JITTER) * uniform(site, 2)) * np.float32(pitch)
    return site, u.astype(np.float32), v.astype(np.float32)


def _blocks(seed: int, rows: Ints, columns: Ints) -> Blocks:
    """Return the blocks of a part of the lattice without its border, whose neighbours are all known."""
    site, u, v = _sites(seed, rows[:, None], columns, PITCH)
    quarter = _quarters(seed, u, v)
    inner = slice(1, -1), slice(1, -1)
    sides = []
    for row, column in _NEIGHBOURS:
        there = slice(1 + row, len(rows) - 1 + row), slice(1 + column, len(columns) - 1 + column)
        # Sums and products of both sides, so that they see the same street.
        street = mix(site[inner] + site[there], site[inner] * site[there])
        east, south = u[there] - u[inner], v[there] - v[inner]
        length = np.hypot(east, south)
        east, south = east / length, south / length
        offset = ((u[there] + u[inner]) * east + (v[there] + v[inner]) * south) / 2
        sides.append((east, south, offset, street, quarter[inner] != quarter[there]))
    east, south, offset, street, main = (
        np.stack([part.ravel() for part in parts]) for parts in zip(*sides, strict=True)
    )
    path = ~main & (uniform(street, 1) < 0.16)
    lane = np.float32(2.2) + uniform(street, 2)
    half = np.select([main, path], [np.float32(5.4), np.float32(0.8)], lane)
    pavement = np.select([main, path], [np.float32(2.6), np.float32(0)], np.float32(1.1))
    return Blocks(
        site[inner].ravel(), u[inner].ravel(), v[inner].ravel(), np.stack([east, south]), offset,
        half.astype(np.float32), pavement.astype(np.float32), main, path, street,
    )  # fmt: skip


def _quarters(seed: int, u: Floats, v: Floats) -> Ids:
    """Return the random number of the quarter of each site: that of the nearest centre of a quarter."""
    row, column = (np.floor(t / np.float32(QUARTER)).astype(np.int32) for t in (v, u))
    nearest, quarter = np.full(u.shape, np.inf, np.float32), np.zeros(u.shape, np.uint32)
    for down, across in _AROUND:
        centre, centre_u, centre_v = _sites(seed + 1, row + np.int32(down), column + np.int32(across), QUARTER)
        distance = np.hypot(u - centre_u, v - centre_v)
        quarter = np.where(distance < nearest, centre, quarter)
        nearest = np.minimum(nearest, distance)
    return quarter


def _nearest(blocks: Blocks, u: Floats, v: Floats, rows: Ints, columns: Ints) -> NDArray[Any]:
    """Return the index of the block of each point, whose site is the nearest."""
    across = np.int32(len(columns) - 2)  # blocks lack the border of the lattice
    row, column = (
        np.floor(t / np.float32(PITCH)).astype(np.int32) - cells[1] for t, cells in ((v, rows), (u, columns))
    )
    here = row * across + column
    index, nearest = here.copy(), np.full(u.shape, np.inf, np.float32)
    for down, right in _AROUND:
        candidate = here + np.int32(down * across + right)
        distance = (blocks.u.take(candidate) - u) ** 2 + (blocks.v.take(candidate) - v) ** 2
        nearer = distance < nearest
        index[nearer] = candidate[nearer]
        np.minimum(nearest, distance, out=nearest)
    return index
