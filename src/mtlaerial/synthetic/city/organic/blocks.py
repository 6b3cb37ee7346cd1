"""Blocks of a grown town: the cells of a Voronoi diagram, with the streets between them.

The diagram's sites are jittered points of a lattice, so that any part of it can be computed by itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids, Ints, mix, uniform

PITCH = 76.0
"""Mean distance of blocks in metres."""
QUARTER = 260.0
"""Mean distance of quarters in metres; main streets run between them."""
_JITTER = 0.62
"""Range of a site in its lattice cell: the nearest site is then in one of the 3 x 3 cells around a point."""
AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
NEIGHBOURS = [step for step in AROUND if step != (0, 0)]


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


def lattice_cells(t: Floats) -> Ints:
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


def blocks_of(seed: int, rows: Ints, columns: Ints) -> Blocks:
    """Return the blocks of a part of the lattice without its border, whose neighbours are all known."""
    site, u, v = _sites(seed, rows[:, None], columns, PITCH)
    quarter = _quarters(seed, u, v)
    inner = slice(1, -1), slice(1, -1)
    sides = []
    for row, column in NEIGHBOURS:
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
    for down, across in AROUND:
        centre, centre_u, centre_v = _sites(seed + 1, row + np.int32(down), column + np.int32(across), QUARTER)
        distance = np.hypot(u - centre_u, v - centre_v)
        quarter = np.where(distance < nearest, centre, quarter)
        nearest = np.minimum(nearest, distance)
    return quarter
