"""Light: reflectance of surfaces, shading by slope, and cast shadows."""

import math

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.surface import Kind, Surface

ELEVATION = math.radians(44)
"""The sun's elevation in radians; its azimuth is south-east, so that shadows fall along the diagonals of pixels."""
HIGHEST = 26.0
"""Upper bound of heights above ground in the town, in metres."""
BANDS = ("red", "green", "blue", "infrared")
AMBIENT = np.array([0.27, 0.31, 0.39, 0.24], np.float32)
"""Share of diffuse light from the sky in each band."""

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
"""Colours of each kind: reflectance in red, green, blue and infrared, 0 to 1."""

_COUNT = np.array([len(PALETTE[kind]) for kind in Kind], np.int64)
_TABLE = np.zeros((len(Kind), _COUNT.max(), len(BANDS)), np.float32)
"""``PALETTE`` as an array (kinds, colours, bands); kinds with fewer colours are padded with zeros."""
for _kind in Kind:
    _TABLE[_kind, : len(PALETTE[_kind])] = PALETTE[_kind]
_LAWN = np.isin(list(Kind), [Kind.GRASS, Kind.PARK, Kind.DRY_GRASS])
_TEXTURE = np.full(len(Kind), 0.10, np.float32)
"""Amplitude of the brightness's relative variation within a surface, by kind."""
_TEXTURE[list(_GREENS)] = 0.26
_TEXTURE[[Kind.DECIDUOUS, Kind.EVERGREEN]] = 0.42
_TEXTURE[[Kind.WATER, Kind.CAR]] = 0.05


def reflect(seed: int, surface: Surface, x: Floats, y: Floats, gsd: float) -> Floats:
    """Return the reflectance of a surface in the four ``BANDS``, shape (rows, columns, 4)."""
    kind = surface.kind
    colour = _TABLE[kind, (surface.tone * _COUNT[kind]).astype(np.int64)]
    # Texture of several scales; one smaller than a pixel would only be noise.
    cells = [cell for cell in (0.35, 1.1, 4.0, 15.0) if cell > 0.6 * gsd]
    texture = sum(smooth(mix(seed, 51, i).item(), x, y, cell) - np.float32(0.5) for i, cell in enumerate(cells))
    colour *= (surface.shade * (1 + _TEXTURE[kind] * texture))[..., None]
    # Lawns turn yellow in places.
    dryness = np.clip(2.2 * smooth(mix(seed, 52).item(), x, y, 38.0) - 1.0, 0, 1) * _LAWN[kind]
    return np.asarray(colour * (1 + dryness[..., None] * np.array([0.42, 0.12, 0.25, -0.12], np.float32)), np.float32)


def illuminate(elevation: Floats, dark: NDArray[np.bool_], gsd: float) -> Floats:
    """Return the irradiance of a surface model, relative to a sunlit plain, shape (rows, columns, 4).

    Parameters
    ----------
    elevation : array of float32, shape (rows, columns)
        Metres.
    dark : array of bool, shape (rows, columns)
        Pixels in cast shadows, which get only diffuse light.
    gsd : float
        Metres per pixel.
    """
    east, south = _slope(elevation, 1) / gsd, _slope(elevation, 0) / gsd
    # Lambert: dot product of the normal (-east, -south, 1) and the sun's direction, divided by that of a plain.
    norm = np.sqrt(1 + east**2 + south**2)
    lambert = (1 - (east + south) / math.sqrt(2) / math.tan(ELEVATION)) / norm
    direct = np.clip(lambert, 0.1, 1.35) * ~dark
    return np.asarray(AMBIENT + direct[..., None] * (1 - AMBIENT), np.float32)


def _slope(elevation: Floats, axis: int) -> Floats:
    """Return the smaller of the differences to both neighbours, so that walls do not count as slopes of roofs."""
    step = np.diff(elevation, axis=axis)
    edge = np.take(step, [0], axis), np.take(step, [-1], axis)
    before, after = np.concatenate([edge[0], step], axis), np.concatenate([step, edge[1]], axis)
    return np.where(np.abs(before) < np.abs(after), before, after)


def shadow(elevation: Floats, gsd: float) -> NDArray[np.bool_]:
    """Return the mask of the pixels of a surface model that lie in cast shadows.

    A pixel is in shadow if anything towards the sun rises above its ray. The maximum over 2, 4, 8, … pixels is computed
    from that over half as many, so that the number of passes is logarithmic in the length of shadows.

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
    # A quarter of a metre of tolerance, else rough surfaces would shade themselves.
    return np.asarray(rise > elevation + np.float32(0.25))


def reach(gsd: float) -> int:
    """Return the largest distance of a shadow's caster, in pixels to the south and to the east."""
    return math.ceil((HIGHEST + 2) / math.tan(ELEVATION) / math.sqrt(2) / gsd)
