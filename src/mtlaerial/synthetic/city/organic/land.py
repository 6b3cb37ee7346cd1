"""Land within blocks, and buildings that stand free on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids, mix, uniform
from mtlaerial.synthetic.city.organic.network import Network, locate


@dataclass(frozen=True)
class Land:
    """Points within blocks.

    Attributes
    ----------
    block : array of uint32
        Random number of the block.
    u, v : array of float32
        Coordinates of the town in metres.
    x, y : array of float32
        Metres from the block's centre, along axes that are turned at random in each block.
    turn : array of float32
        Angle of these axes in radians.
    origin : pair of arrays of float32
        The block's centre in coordinates of the town.
    depth, along : array of float32
        Distance to the nearest pavement, and position along its street, in metres.
    street : array of uint32
        Random number of that street.
    locate : callable
        Returns the streets around other points of the town.
    """

    block: Ids
    u: Floats
    v: Floats
    x: Floats
    y: Floats
    turn: Floats
    origin: tuple[Floats, Floats]
    depth: Floats
    along: Floats
    street: Ids
    locate: Callable[[Floats, Floats], Network]

    @classmethod
    def of(cls, seed: int, network: Network, u: Floats, v: Floats) -> "Land":
        """Return the land at points of the town."""
        block = network.blocks.block[network.index]
        turn = (2 * np.pi * uniform(block, 1)).astype(np.float32)
        origin = network.blocks.u[network.index], network.blocks.v[network.index]
        x, y = turned(u - origin[0], v - origin[1], turn)
        street = network.of_street(network.blocks.street)
        return cls(block, u, v, x, y, turn, origin, network.depth, network.along, street, partial(locate, seed))


def turned(east: Floats, south: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Return coordinates along axes that are turned by an angle in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return east * cosine + south * sine, south * cosine - east * sine


@dataclass(frozen=True)
class Sites:
    """Sites of buildings as points see them: each point belongs to one site.

    Attributes
    ----------
    x, y : array of float32
        Metres from the building's centre, along the street and away from it.
    half_x, half_y : array of float32
        Half the sides of the building's bounding rectangle in metres.
    site : array of uint32
        Random number of the site.
    built : array of bool
        Whether the rectangle fits between the streets.
    """

    x: Floats
    y: Floats
    half_x: Floats
    half_y: Floats
    site: Ids
    built: NDArray[np.bool_]

    @property
    def inset(self) -> Floats:
        """Distance to the sides of the rectangle of a building in metres, positive within; -inf on free sites."""
        inset = np.minimum(self.half_x - np.abs(self.x), self.half_y - np.abs(self.y))
        return np.where(self.built, inset, np.float32(-np.inf))


def sites(at: Land, pitch: float, longest: float, setback: float, key: int) -> Sites:
    """Divide land into square sites with a building each, which faces the nearest street.

    Parameters
    ----------
    at : Land
    pitch : float
        Side of a site in metres; a building lies within the circle that fits into it.
    longest : float
        Largest ratio of a building's sides.
    setback : float
        Smallest distance of a building from pavements, in metres.
    key : int
        Random key of the division.
    """
    row = np.floor(at.y / np.float32(pitch))
    column = np.floor(at.x / np.float32(pitch) + np.float32(0.5) * (row % 2))  # rows are staggered
    point_site = mix(at.block, key, row, column)
    site, first, member = np.unique(point_site, return_index=True, return_inverse=True)
    room = np.float32(pitch / 2) * (np.float32(0.72) + np.float32(0.24) * uniform(site, 1))
    ratio = 1 + np.float32(longest - 1) * uniform(site, 2)
    half_y = room / np.sqrt(1 + ratio**2)
    half_x = half_y * ratio
    # Centres: from the turned axes of the block back to the town's.
    right = (column[first] + np.float32(0.5) - np.float32(0.5) * (row[first] % 2)) * np.float32(pitch)
    east, south = turned(right, (row[first] + np.float32(0.5)) * np.float32(pitch), -at.turn[first])
    u, v = at.origin[0][first] + east, at.origin[1][first] + south
    angle = _facing(at, u, v)
    built = _fits(at, u, v, angle, half_x, half_y, at.block[first], setback)
    x, y = turned(at.u - u[member], at.v - v[member], angle[member])
    return Sites(x, y, half_x[member], half_y[member], site[member], built[member])


def _facing(at: Land, u: Floats, v: Floats) -> Floats:
    """Return the angle of the direction along the nearest street at points, so that y points away from it."""
    steps = np.array([[0, 1, 0], [0, 0, 1]], np.float32)[..., None]
    here, east, south = at.locate(u + steps[0], v + steps[1]).gap
    return np.asarray(np.arctan2(south - here, east - here) - np.pi / 2, np.float32)


def _fits(
    at: Land, u: Floats, v: Floats, angle: Floats, half_x: Floats, half_y: Floats, block: Ids, setback: float
) -> NDArray[np.bool_]:
    """Return the mask of rectangles whose corners lie in their block, away from the pavements."""
    right, down = np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]], np.float32)[..., None]
    east, south = turned(right * half_x, down * half_y, -angle)
    corners = at.locate(u + east, v + south)
    in_block = corners.blocks.block[corners.index] == block
    return np.asarray(((corners.depth > setback) & in_block).all(axis=0))
