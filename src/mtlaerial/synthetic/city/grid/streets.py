"""The street network: streets around points, and the blocks between them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids, Ints, mix, uniform
from mtlaerial.synthetic.city.surface import Lots

PITCH = (94.0, 68.0)
"""Mean distance of parallel streets along u and v, in metres."""
MAIN_EVERY = (3, 4)
"""Every third street along u and every fourth along v is a main street."""


@dataclass(frozen=True)
class Streets:
    """Points and the four streets around each: west, east, north, south along the first axis.

    Properties of blocks are stored per block, not per point, as there are few blocks and many points.

    Attributes
    ----------
    block_index : integer array, shape (…)
        The block of each point, as an index in the arrays of blocks.
    distance : array of float32, shape (4, …)
        Distance to the street's axis in metres.
    half : array of float32, shape (4, blocks)
        Half the width of the street's carriageway in metres.
    street, block : array of uint32, shapes (4, blocks) and (blocks)
        Random numbers of streets and block.
    main : array of bool, shape (4, blocks)
        Whether the street is a main street.
    centre : tuple of two arrays of shape (blocks)
        Centre of the block in coordinates of the street network.
    """

    block_index: NDArray[Any]
    distance: Floats
    half: Floats
    street: Ids
    main: NDArray[np.bool_]
    block: Ids
    centre: tuple[Floats, Floats]

    @property
    def margin(self) -> Floats:
        """Half the width of streets with their pavements, in metres, shape (4, blocks)."""
        return self.half + np.where(self.main, np.float32(3.2), np.float32(2.0))

    def lots(self, here: NDArray[np.bool_]) -> Lots:
        """Return the points of a mask in coordinates of their lots, the land between the pavements."""
        block = self.block_index[here]
        west, east, north, south = self.distance[:, here] - self.margin.take(block, axis=1)
        return Lots(self.block[block], west, north, west + east, north + south)

    @property
    def on_main(self) -> NDArray[np.bool_]:
        """Mask of the points on a main street or its pavements."""
        reach = np.where(self.main, self.margin, np.float32(-np.inf))
        return np.asarray((self.distance < reach.take(self.block_index, axis=1)).any(axis=0))

    @cached_property
    def nearest(self) -> tuple[NDArray[Any], Floats]:
        """The street with the nearest carriageway, as an index of the first axis, and the distance to it in metres."""
        gap = self.distance - self.half.take(self.block_index, axis=1)
        side = gap.argmin(axis=0)
        return side, np.take_along_axis(gap, side[None], 0)[0]

    @cached_property
    def paved(self) -> NDArray[np.bool_]:
        """Mask of the points on a street or its pavements."""
        side, gap = self.nearest
        return np.asarray(gap < (self.margin - self.half)[side, self.block_index])


def locate(seed: int, u: Floats, v: Floats) -> Streets:
    """Return the streets around points, given in coordinates of the street network (metres)."""
    columns, rows = (_lines(t, pitch) for t, pitch in zip((u, v), PITCH, strict=True))
    # Side streets are staggered from one column of blocks to the next; main streets run through.
    stagger = np.where(rows[:, None] % MAIN_EVERY[1] == 0, 0, columns)
    wests = _positions(columns, PITCH[0], uniform(seed, 1, columns))
    norths = _positions(rows[:, None], PITCH[1], uniform(seed, 2, rows[:, None], stagger))
    # Streets are jittered by less than half a pitch to the east and south: a point may belong to the block before.
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
    block = row * np.int32(shape[1]) + column
    distance = np.stack([u - west[block], east[block] - u, v - north[block], south[block] - v])
    centre = (west + east) / 2, (north + south) / 2
    return Streets(block, distance, half, street, main, mix(seed, 4, lines[0], lines[2]), centre)


def _lines(t: Floats, pitch: float) -> Ints:
    """Return the indices of all parallel streets that may be next to any of the points."""
    ends = np.floor(np.array([t.min(), t.max()]) / np.float32(pitch)).astype(np.int32)
    return np.arange(ends[0] - 1, ends[1] + 3, dtype=np.int32)


def _positions(index: Ints, pitch: float, jitter: Floats) -> Floats:
    return np.asarray((index.astype(np.float32) + np.float32(0.4) * jitter) * np.float32(pitch), np.float32)


def _index(t: Floats, pitch: float, lines: Ints) -> Ints:
    """Return the position in ``lines`` of the street before each point, without jitter."""
    return np.asarray(np.floor(t / np.float32(pitch)).astype(np.int32) - lines[0])
