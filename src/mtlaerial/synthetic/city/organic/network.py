"""The street network of a grown town: points among the streets around their blocks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ints, mix, smooth
from mtlaerial.synthetic.city.organic.blocks import AROUND, NEIGHBOURS, PITCH, Blocks, blocks_of, lattice_cells


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
        return np.asarray(values[self.side, self.index])

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
    rows, columns = lattice_cells(v), lattice_cells(u)
    blocks = blocks_of(seed, rows, columns)
    index = _nearest(blocks, u, v, rows, columns)
    side, gap = np.zeros(u.shape, np.uint8), np.full(u.shape, np.inf, np.float32)
    crossing = gap.copy()
    edge = blocks.offset - blocks.half
    for number in range(len(NEIGHBOURS)):
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


def _nearest(blocks: Blocks, u: Floats, v: Floats, rows: Ints, columns: Ints) -> NDArray[Any]:
    """Return the index of the block of each point, whose site is the nearest."""
    across = np.int32(len(columns) - 2)  # blocks lack the border of the lattice
    row, column = (
        np.floor(t / np.float32(PITCH)).astype(np.int32) - cells[1] for t, cells in ((v, rows), (u, columns))
    )
    here = row * across + column
    index, nearest = here.copy(), np.full(u.shape, np.inf, np.float32)
    for down, right in AROUND:
        candidate = here + np.int32(down * across + right)
        distance = (blocks.u.take(candidate) - u) ** 2 + (blocks.v.take(candidate) - v) ** 2
        nearer = distance < nearest
        index[nearer] = candidate[nearer]
        np.minimum(nearest, distance, out=nearest)
    return np.asarray(index)
