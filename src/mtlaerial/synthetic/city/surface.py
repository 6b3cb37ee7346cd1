"""Surface cover: kinds of cover, and arrays that describe the cover of points."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, Ids


class Kind(IntEnum):
    """Kinds of surface, as seen from above."""

    GRASS = 0
    PARK = 1
    DRY_GRASS = 2
    TURF = 3
    SOIL = 4
    DECIDUOUS = 5
    EVERGREEN = 6
    WATER = 7
    HOUSE = 8
    HALL = 9
    ROAD = 10
    MAIN_ROAD = 11
    CROSSWALK = 12
    PAVEMENT = 13
    PARKING = 14
    YARD = 15
    CAR = 16


BUILDINGS = (Kind.HOUSE, Kind.HALL)
TREES = (Kind.DECIDUOUS, Kind.EVERGREEN)


@dataclass
class Surface:
    """Cover of points, as arrays of the same shape.

    Attributes
    ----------
    kind : array of uint8
        Values of ``Kind``.
    height : array of float32
        Metres above ground.
    tone : array of float32 in [0, 1)
        Position of the object's colour in the palette of its kind.
    shade : array of float32
        Factor on the colour, for paint, glass and seams.
    """

    kind: NDArray[np.uint8]
    height: Floats
    tone: Floats
    shade: Floats

    @classmethod
    def of(cls, kind: Kind, shape: tuple[int, ...]) -> Self:
        """Return a surface of one kind at ground level."""
        height, tone, shade = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, np.float32)
        return cls(np.full(shape, kind, np.uint8), height, tone, shade)

    def put(self, where: NDArray[Any], kind: Any, height: Any = 0.0, tone: Any = 0.0, shade: Any = 1.0) -> None:
        """Cover the points of a mask, over earlier cover; values are scalars or arrays of the surface's shape."""
        for name, value in (("kind", kind), ("height", height), ("tone", tone), ("shade", shade)):
            array = getattr(self, name)
            array[where] = value[where] if isinstance(value, np.ndarray) else value

    def __getitem__(self, where: Any) -> "Surface":
        """Return the selected points; for slices, a view of the same memory."""
        return Surface(self.kind[where], self.height[where], self.tone[where], self.shade[where])

    def insert(self, where: Any, part: "Surface") -> None:
        """Replace the points of a mask by those of ``part``, which has only these points."""
        for name in ("kind", "height", "tone", "shade"):
            getattr(self, name)[where] = getattr(part, name)


@dataclass(frozen=True)
class Lots:
    """Points in coordinates of the block of land that they lie in.

    Attributes
    ----------
    block : array of uint32
        Random number of the block.
    x, y : array of float32
        Metres from the block's west and north edge.
    width, depth : array of float32
        Size of the block in metres.
    """

    block: Ids
    x: Floats
    y: Floats
    width: Floats
    depth: Floats

    def __getitem__(self, where: NDArray[Any]) -> "Lots":
        """Return the selected points."""
        return Lots(self.block[where], self.x[where], self.y[where], self.width[where], self.depth[where])

    @property
    def edges(self) -> NDArray[np.float32]:
        """Distances in metres to the block's west, east, north and south side, shape (4, points)."""
        return np.stack([self.x, self.width - self.x, self.y, self.depth - self.y])
