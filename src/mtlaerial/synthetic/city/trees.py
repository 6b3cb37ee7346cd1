"""Trees: positions, sizes and crowns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mtlaerial.synthetic.city.noise import Floats, Ids, mix, smooth, uniform
from mtlaerial.synthetic.city.style import Vegetation
from mtlaerial.synthetic.city.surface import BUILDINGS, Kind, Surface

REACH = 7.0
"""Upper bound of crown radii, in metres."""


@dataclass(frozen=True)
class Trees:
    """Trees, one per element of the arrays.

    Attributes
    ----------
    x, y : array of float32
        Position in metres.
    radius, height : array of float32
        Radius of the crown, and height above ground, in metres.
    evergreen : array of bool
        Conifers, which are narrower, and cones instead of domes.
    tree : array of uint32
        Random numbers.
    """

    x: Floats
    y: Floats
    radius: Floats
    height: Floats
    evergreen: np.ndarray
    tree: Ids

    def __getitem__(self, where: np.ndarray) -> "Trees":
        """Return the selected trees."""
        return Trees(*(getattr(self, name)[where] for name in self.__dataclass_fields__))


def grow(
    vegetation: Vegetation,
    seed: int,
    bounds: tuple[float, float, float, float],
    cover: Callable[[Floats, Floats], Surface],
) -> Trees:
    """Return the trees whose crowns may reach into a rectangle.

    Parameters
    ----------
    vegetation : Vegetation
    seed : int
        Seed of the town.
    bounds : tuple
        West, north, east, south in metres; y runs south.
    cover : callable
        Returns the cover of the ground at given points.
    """
    (west, north, east, south), pitch = bounds, vegetation.pitch
    columns = np.arange(np.floor((west - REACH) / pitch), np.ceil((east + REACH) / pitch), dtype=np.int32)
    rows = np.arange(np.floor((north - REACH) / pitch), np.ceil((south + REACH) / pitch), dtype=np.int32)
    tree = mix(seed, rows[:, None], columns)
    x = ((columns + uniform(tree, 1)) * pitch).astype(np.float32).ravel()
    y = ((rows[:, None] + uniform(tree, 2)) * pitch).astype(np.float32).ravel()
    tree = tree.ravel()
    woodland = smooth(mix(seed, 41).item(), x, y, 55.0)
    evergreen = uniform(tree, 3) < vegetation.evergreen * smooth(mix(seed, 42).item(), x, y, 130.0) ** 1.5
    size = uniform(tree, 4)
    radius = _by_kind(evergreen, size, vegetation.radius).astype(np.float32)
    height = _by_kind(evergreen, size, vegetation.height) + 2 * uniform(tree, 5)
    trees = Trees(x, y, radius, height.astype(np.float32), evergreen, tree)
    probability = vegetation.density[cover(x, y).kind] * (0.25 + 1.7 * woodland)
    return trees[(uniform(tree, 6) < probability) & _stand_free(trees, cover)]


def _by_kind(evergreen: np.ndarray, size: Floats, ranges: tuple[tuple[float, float], tuple[float, float]]) -> Floats:
    """Return lengths from a share of the range of deciduous trees and of conifers."""
    (least, more), (least_evergreen, more_evergreen) = ranges
    return np.where(evergreen, least_evergreen + more_evergreen * size, least + more * size)


def _stand_free(trees: Trees, cover: Callable[[Floats, Floats], Surface]) -> np.ndarray:
    """Return the mask of trees away from buildings, water and turf, by the cover at six points under the crown."""
    angle = np.arange(6, dtype=np.float32)[:, None] * np.float32(np.pi / 3)
    kind = cover(trees.x + np.cos(angle) * trees.radius * 0.75, trees.y + np.sin(angle) * trees.radius * 0.75).kind
    return np.asarray(~np.isin(kind, (*BUILDINGS, Kind.WATER, Kind.TURF)).any(axis=0))


def plant(surface: Surface, trees: Trees, x: Floats, y: Floats) -> None:
    """Put crowns on a surface at points x (1, columns) and y (rows, 1); higher objects stay on top."""
    for index in range(len(trees.x)):
        _crown(surface, trees[np.array([index])], x[0], y[:, 0])


def _crown(surface: Surface, tree: Trees, x: Floats, y: Floats) -> None:
    reach = 1.15 * tree.radius[0]
    columns = slice(*np.searchsorted(x, (tree.x[0] - reach, tree.x[0] + reach)))
    rows = slice(*np.searchsorted(y, (tree.y[0] - reach, tree.y[0] + reach)))
    if columns.start == columns.stop or rows.start == rows.stop:
        return
    east, south = (x[columns] - tree.x[0])[None], (y[rows] - tree.y[0])[:, None]
    # Lobes make crowns irregular, and leaves make their tops rough.
    lobes = 1 + 0.1 * np.sin(5 * np.arctan2(south, east) + 6 * uniform(tree.tree, 7))
    distance = np.hypot(east, south) / (tree.radius * lobes)
    dome = 0.5 + 0.5 * np.sqrt(np.maximum(1 - distance**2, 0))
    cone = 0.45 + 0.55 * np.maximum(1 - distance, 0)
    rough = 0.86 + 0.14 * smooth(43, x[columns][None], y[rows][:, None], 0.9)
    height = (tree.height * np.where(tree.evergreen, cone, dome) * rough).astype(np.float32)
    patch = surface[rows, columns]
    kind = Kind.EVERGREEN if tree.evergreen[0] else Kind.DECIDUOUS
    patch.put((distance < 1) & (height > patch.height), kind, height, uniform(tree.tree, 8)[0])
