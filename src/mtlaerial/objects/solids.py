"""Solids of CityJSON: footprints between a ground height and a roof height, LoD1."""

from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.objects.vertex_table import VertexTable

Ring = list[int]
Vertices = NDArray[np.int64]
SURFACES = ("GroundSurface", "RoofSurface", "WallSurface")
"""Semantic surfaces of a solid, in the order of their numbers in ``values``."""
_GROUND, _ROOF, _WALL = range(len(SURFACES))


class Solid(NamedTuple):
    """A solid of CityJSON.

    Attributes
    ----------
    boundaries : list
        One shell: surfaces, each a list of rings, each a list of vertices by number.
    values : list of list of int
        Semantic surface of each surface of the shell.
    """

    boundaries: list[list[list[Ring]]]
    values: list[list[int]]

    def geometry(self, semantic: bool) -> dict[str, Any]:
        """Return the geometry object, with semantic surfaces if they are wanted."""
        shape: dict[str, Any] = {"type": "Solid", "lod": "1", "boundaries": self.boundaries}
        if semantic:
            surfaces = [{"type": name} for name in SURFACES]
            shape["semantics"] = {"surfaces": surfaces, "values": self.values}
        return shape


def extrude(rings: list[Vertices], base: int, top: int, table: VertexTable) -> Solid:
    """Return the solid of a footprint.

    Parameters
    ----------
    rings : list of array of int64, shape (vertices, 2)
        The exterior ring counterclockwise, then interior rings clockwise, without the repeated first vertex.
    base, top : int
        Heights of ground and roof; the second is greater.
    table : VertexTable
        Takes the vertices.

    Notes
    -----
    Seen from outside, exterior rings of surfaces are counterclockwise: those of the ground are reversed. A wall goes
    along the base in the ring's direction, which has the solid on its left, and back along the roof.
    """
    ground: list[Ring] = []
    roof: list[Ring] = []
    walls: list[list[Ring]] = []
    for ring in rings:
        low = [table.number(x, y, base) for x, y in ring.tolist()]
        high = [table.number(x, y, top) for x, y in ring.tolist()]
        ground.append(low[::-1])
        roof.append(high)
        for index in range(len(low)):
            following = (index + 1) % len(low)
            walls.append([[low[index], low[following], high[following], high[index]]])
    return Solid([[ground, roof, *walls]], [[_GROUND, _ROOF, *[_WALL] * len(walls)]])


def quantised_rings(polygon: shapely.Polygon, origin: NDArray[np.float64], step: float) -> list[Vertices] | None:
    """Return a polygon's rings in whole steps from an origin, without repeated vertices; None if one collapses."""
    rings = []
    for ring in (polygon.exterior, *polygon.interiors):
        points = np.rint((shapely.get_coordinates(ring)[:-1] - origin) / step).astype(np.int64)
        moved = (points != np.roll(points, 1, axis=0)).any(axis=1)
        if np.count_nonzero(moved) < 3:
            return None
        rings.append(points[moved])
    return rings
