"""Light: reflectance of surfaces, shading by slope, and cast shadows."""

import math

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import Floats, mix, smooth
from mtlaerial.synthetic.city.style import Palette, Style
from mtlaerial.synthetic.city.surface import Kind, Surface

_LAWN = np.isin(list(Kind), [Kind.GRASS, Kind.PARK, Kind.DRY_GRASS])


def reflect(palette: Palette, seed: int, surface: Surface, x: Floats, y: Floats, gsd: float) -> Floats:
    """Return the reflectance of a surface in the four ``BANDS``, shape (rows, columns, 4)."""
    kind = surface.kind
    colour = palette.table[kind, (surface.tone * palette.count[kind]).astype(np.int64)]
    # Texture of several scales; one smaller than a pixel would only be noise.
    cells = [cell for cell in (0.35, 1.1, 4.0, 15.0) if cell > 0.6 * gsd]
    texture = sum(smooth(mix(seed, 51, i).item(), x, y, cell) - np.float32(0.5) for i, cell in enumerate(cells))
    colour *= (surface.shade * (1 + palette.texture[kind] * texture))[..., None]
    # Lawns turn yellow in places.
    dryness = np.clip(2.2 * smooth(mix(seed, 52).item(), x, y, 38.0) - 1.0, 0, 1) * _LAWN[kind]
    return np.asarray(colour * (1 + dryness[..., None] * np.array([0.42, 0.12, 0.25, -0.12], np.float32)), np.float32)


def illuminate(style: Style, elevation: Floats, dark: NDArray[np.bool_], gsd: float) -> Floats:
    """Return the irradiance of a surface model, relative to a sunlit plain, shape (rows, columns, 4).

    Parameters
    ----------
    style : Style
        Direction of the sun, and share of diffuse light.
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
    sunward = east * np.float32(style.sun.east) + south
    lambert = (1 - sunward / style.sun.stride / math.tan(style.sun.elevation)) / norm
    direct = np.clip(lambert, 0.1, 1.35) * ~dark
    return np.asarray(style.ambient + direct[..., None] * (1 - style.ambient), np.float32)


def _slope(elevation: Floats, axis: int) -> Floats:
    """Return the smaller of the differences to both neighbours, so that walls do not count as slopes of roofs."""
    step = np.diff(elevation, axis=axis)
    edge = np.take(step, [0], axis), np.take(step, [-1], axis)
    before, after = np.concatenate([edge[0], step], axis), np.concatenate([step, edge[1]], axis)
    return np.where(np.abs(before) < np.abs(after), before, after)


def shadow(style: Style, elevation: Floats, gsd: float) -> NDArray[np.bool_]:
    """Return the mask of the pixels of a surface model that lie in cast shadows.

    A pixel is in shadow if anything towards the sun rises above its ray. The maximum over 2, 4, 8, … rows is computed
    from that over half as many, so that the number of passes is logarithmic in the length of shadows.

    Parameters
    ----------
    style : Style
        Direction of the sun.
    elevation : array of float32, shape (rows, columns)
        Metres; rows run south.
    gsd : float
        Metres per pixel.
    """
    drop = style.sun.stride * gsd * math.tan(style.sun.elevation)
    rise, step = elevation.copy(), 1
    while step <= style.reach(gsd):
        east = style.sun.columns(step)
        # The sunward columns are cut off one side of the nearer pixels, and off the opposite side of the further ones.
        nearer = slice(max(-east, 0), rise.shape[1] - max(east, 0))
        further = slice(max(east, 0), rise.shape[1] - max(-east, 0))
        sunward = rise[step:, further] - np.float32(step * drop)
        near = rise[: sunward.shape[0], nearer]
        np.maximum(near, sunward, out=near)
        step *= 2
    # A quarter of a metre of tolerance, else rough surfaces would shade themselves.
    return np.asarray(rise > elevation + np.float32(0.25))
