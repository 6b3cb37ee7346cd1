"""Light: colours of surfaces, shading by slope, and cast shadows."""

import math

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.surface import Kind, Surface

ELEVATION = math.radians(44)
"""Of the sun above the horizon; it stands exactly in the south-east, so that shadows fall along pixels' diagonals."""
HIGHEST = 26.0
"""Nothing in the town is higher above ground, in metres."""
BANDS = ("red", "green", "blue", "infrared")
AMBIENT = np.array([0.27, 0.31, 0.39, 0.24], np.float32)
"""Share of the light that comes from the sky, in each band."""

_GREENS = {
    Kind.GRASS: [(0.40, 0.50, 0.27, 0.78)],
    Kind.PARK: [(0.36, 0.48, 0.25, 0.80)],
    Kind.DRY_GRASS: [(0.60, 0.57, 0.36, 0.62)],
    Kind.TURF: [(0.26, 0.50, 0.28, 0.72)],
    Kind.DECIDUOUS: [
        (0.22, 0.34, 0.17, 0.78),
        (0.27, 0.38, 0.18, 0.84),
        (0.32, 0.37, 0.17, 0.80),
        (0.19, 0.32, 0.18, 0.74),
    ],
    Kind.EVERGREEN: [(0.13, 0.23, 0.16, 0.55), (0.16, 0.26, 0.17, 0.60)],
    Kind.SOIL: [(0.50, 0.40, 0.29, 0.46), (0.42, 0.33, 0.25, 0.42), (0.58, 0.48, 0.36, 0.52), (0.62, 0.32, 0.24, 0.45)],
}
_OTHERS = {
    Kind.WATER: [(0.13, 0.23, 0.27, 0.05), (0.16, 0.25, 0.24, 0.06), (0.30, 0.62, 0.70, 0.08)],
    Kind.HOUSE: [
        (0.66, 0.33, 0.23, 0.50),
        (0.58, 0.28, 0.21, 0.46),
        (0.72, 0.42, 0.30, 0.55),
        (0.48, 0.32, 0.26, 0.42),
        (0.34, 0.33, 0.35, 0.34),
        (0.62, 0.37, 0.26, 0.50),
        (0.44, 0.43, 0.44, 0.42),
        (0.63, 0.59, 0.54, 0.58),
        (0.54, 0.52, 0.50, 0.50),
    ],
    Kind.HALL: [
        (0.74, 0.75, 0.76, 0.70),
        (0.58, 0.59, 0.60, 0.56),
        (0.85, 0.85, 0.84, 0.80),
        (0.45, 0.46, 0.49, 0.44),
        (0.64, 0.60, 0.54, 0.60),
        (0.50, 0.58, 0.62, 0.52),
    ],
    Kind.ROAD: [(0.43, 0.43, 0.45, 0.40)],
    Kind.MAIN_ROAD: [(0.38, 0.38, 0.40, 0.36)],
    Kind.CROSSWALK: [(0.38, 0.38, 0.40, 0.36)],
    Kind.PAVEMENT: [(0.62, 0.60, 0.57, 0.55)],
    Kind.PARKING: [(0.40, 0.40, 0.42, 0.38)],
    Kind.YARD: [(0.66, 0.59, 0.48, 0.58), (0.58, 0.56, 0.53, 0.52), (0.52, 0.48, 0.45, 0.48), (0.60, 0.50, 0.44, 0.50)],
    Kind.CAR: [
        (0.90, 0.90, 0.90, 0.85),
        (0.72, 0.73, 0.75, 0.68),
        (0.20, 0.20, 0.22, 0.20),
        (0.66, 0.16, 0.14, 0.60),
        (0.18, 0.28, 0.52, 0.40),
        (0.45, 0.46, 0.48, 0.42),
        (0.88, 0.88, 0.86, 0.82),
        (0.12, 0.12, 0.13, 0.12),
    ],
}
PALETTE = _GREENS | _OTHERS
"""For each kind its colours: reflectance in red, green, blue and infrared, 0 to 1."""

_MOST = max(map(len, PALETTE.values()))
_TABLE = np.array([[PALETTE[kind][i % len(PALETTE[kind])] for i in range(_MOST)] for kind in Kind], np.float32)
_COUNT = np.array([len(PALETTE[kind]) for kind in Kind], np.int64)
_GREEN = np.isin(list(Kind), [Kind.GRASS, Kind.PARK, Kind.DRY_GRASS])
_ROUGH = np.full(len(Kind), 0.10, np.float32)
"""How much each kind's brightness varies from spot to spot."""
_ROUGH[list(_GREENS)] = 0.26
_ROUGH[[Kind.DECIDUOUS, Kind.EVERGREEN]] = 0.42
_ROUGH[[Kind.WATER, Kind.CAR]] = 0.05


def reflect(seed: int, surface: Surface, x: Floats, y: Floats, gsd: float) -> Floats:
    """Return the reflectance of a surface in the four ``BANDS``, shape (rows, columns, 4)."""
    kind = surface.kind
    colour = _TABLE[kind, (surface.tone * _COUNT[kind]).astype(np.int64)]
    # Spots of several sizes; those smaller than a pixel would only be noise.
    cells = [cell for cell in (0.35, 1.1, 4.0, 15.0) if cell > 0.6 * gsd]
    spots = sum(smooth(mix(seed, 51, i).item(), x, y, cell) - np.float32(0.5) for i, cell in enumerate(cells))
    colour *= (surface.shade * (1 + _ROUGH[kind] * spots))[..., None]
    # Lawns turn yellow in places.
    parched = np.clip(2.2 * smooth(mix(seed, 52).item(), x, y, 38.0) - 1.0, 0, 1) * _GREEN[kind]
    return np.asarray(colour * (1 + parched[..., None] * np.array([0.42, 0.12, 0.25, -0.12], np.float32)), np.float32)


def illuminate(elevation: Floats, dark: NDArray[np.bool_], gsd: float) -> Floats:
    """Return the light on a surface model in metres, relative to that on a sunny plain, shape (rows, columns, 4)."""
    west_east, north_south = _slope(elevation, 1) / gsd, _slope(elevation, 0) / gsd
    steep = np.sqrt(1 + west_east**2 + north_south**2)
    facing = (1 - (west_east + north_south) / math.sqrt(2) / math.tan(ELEVATION)) / steep
    direct = np.clip(facing, 0.1, 1.35) * ~dark
    return np.asarray(AMBIENT + direct[..., None] * (1 - AMBIENT), np.float32)


def _slope(elevation: Floats, axis: int) -> Floats:
    """Return the lesser of the differences to both neighbours, so that walls do not count as slopes of roofs."""
    step = np.diff(elevation, axis=axis)
    edge = np.take(step, [0], axis), np.take(step, [-1], axis)
    before, after = np.concatenate([edge[0], step], axis), np.concatenate([step, edge[1]], axis)
    return np.where(np.abs(before) < np.abs(after), before, after)


def shadow(elevation: Floats, gsd: float) -> NDArray[np.bool_]:
    """Tell which pixels of a surface model lie in shadow.

    A pixel does if, towards the sun, something rises above the ray. The highest rise within 1, 2, 4, … pixels follows
    from that within half as many, so that few passes over the raster are needed.

    Parameters
    ----------
    elevation : array of float32, shape (rows, columns)
        Metres; rows run south.
    gsd : float
        Metres per pixel.
    """
    drop = math.sqrt(2) * gsd * math.tan(ELEVATION)
    rise, step = elevation.copy(), 1
    while step <= reach(gsd):
        further = rise[step:, step:] - np.float32(step * drop)
        near = rise[: further.shape[0], : further.shape[1]]
        np.maximum(near, further, out=near)
        step *= 2
    return np.asarray(rise > elevation + np.float32(0.25))


def reach(gsd: float) -> int:
    """Return how many pixels to the south and east a shadow may come from."""
    return math.ceil((HIGHEST + 2) / math.tan(ELEVATION) / math.sqrt(2) / gsd)
