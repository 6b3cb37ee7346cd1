"""Rendering of a town: views of its colours, kinds and heights, strip by strip."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from mtlaerial.synthetic.city import light, trees
from mtlaerial.synthetic.city.noise import Floats
from mtlaerial.synthetic.city.style import BANDS, Style
from mtlaerial.synthetic.city.surface import Kind, Surface

HALO = 4
"""Pixels around a view that slopes and blur need."""
SQUARE = 512
"""Side in pixels of the squares that are built at a time."""


@dataclass(frozen=True)
class View:
    """A part of the town, seen from vertically above.

    Attributes
    ----------
    colour : array of float32, shape (rows, columns, 4)
        Red, green, blue and infrared, 0 to 1.
    kind : array of uint8, shape (rows, columns)
        Surface cover, values of ``Kind``.
    height, ground : array of float32, shape (rows, columns)
        Metres above ground, and the ground's elevation in metres.
    """

    colour: Floats
    kind: np.ndarray
    height: Floats
    ground: Floats


def render(style: Style, seed: int, row: int, column: int, rows: int, columns: int, gsd: float) -> View:
    """Render a part of a town.

    Parameters
    ----------
    style : Style
    seed : int
        Seed of the town.
    row, column : int
        First pixel, counted from the town's north-west corner.
    rows, columns : int
        Size in pixels.
    gsd : float
        Metres per pixel.

    Returns
    -------
    View
        Views of the same style, seed and GSD agree in their overlap.
    """
    return next(view for _, view in render_strips(style, seed, row, column, rows, columns, gsd, rows))


def render_strips(
    style: Style, seed: int, row: int, column: int, rows: int, columns: int, gsd: float, step: int
) -> Iterator[tuple[int, View]]:
    """Render a part of a town in strips of at most ``step`` rows; yield first row and view of each.

    The strips are rendered from south to north, as shadows fall: the elevation of each is kept for those it may shade.
    """
    reach = style.reach(gsd)
    sunward = style.sun.columns(reach)
    first_column, last_column = column - HALO + min(sunward, 0), column + columns + HALO + max(sunward, 0)
    x = _pixel_centres(first_column, last_column, gsd)[None]
    visible = slice(max(-sunward, 0), max(-sunward, 0) + columns + 2 * HALO)
    last = row + rows + HALO
    shading = _scene(style, seed, x, _pixel_centres(last, last + reach, gsd)[:, None], gsd).elevation
    for first in reversed(range(row, row + rows, step)):
        y = _pixel_centres(first - HALO, min(first + step, row + rows) + HALO, gsd)[:, None]
        scene = _scene(style, seed, x, y, gsd)
        elevation = np.concatenate([scene.elevation, shading])
        dark = light.shadow(style, elevation, gsd)
        yield first, _photograph(style, seed, scene[:, visible], dark[: len(y), visible], x[:, visible], y, gsd)
        shading = elevation[2 * HALO :][:reach]  # without the rows of the halo, which strips share


@dataclass(frozen=True)
class Scene:
    """The surface at the points of a raster, and the elevation of the ground in metres."""

    surface: Surface
    ground: Floats

    @property
    def elevation(self) -> Floats:
        """The surface model: elevation of ground and objects in metres."""
        return self.ground + self.surface.height

    def __getitem__(self, where: tuple[slice, slice]) -> "Scene":
        """Return a view of a part."""
        return Scene(self.surface[where], self.ground[where])


def _scene(style: Style, seed: int, x: Floats, y: Floats, gsd: float) -> Scene:
    """Build a part of the town at points x (1, columns) and y (rows, 1)."""
    surface = Surface.of(Kind.GRASS, np.broadcast_shapes(x.shape, y.shape))
    for rows, columns in _squares(surface.kind.shape):
        surface[rows, columns].insert(..., style.cover(seed, x[:, columns], y[rows], gsd))
    bounds = x[0, 0].item(), y[0, 0].item(), x[0, -1].item(), y[-1, 0].item()
    grown = trees.grow(style.vegetation, seed, bounds, lambda x, y: style.cover(seed, x, y, gsd))
    trees.plant(surface, grown, x, y)
    return Scene(surface, style.terrain(seed, x, y))


def _photograph(style: Style, seed: int, scene: Scene, dark: np.ndarray, x: Floats, y: Floats, gsd: float) -> View:
    """Light a scene and blur it slightly; its halo is cut off."""
    shape = len(y) - 2 * HALO, x.shape[1] - 2 * HALO
    elevation, colour = scene.elevation, np.empty((*shape, len(BANDS)), np.float32)
    for rows, columns in _squares(shape):
        around = tuple(slice(part.start, part.stop + 2 * HALO) for part in (rows, columns))
        lit = light.reflect(style.palette, seed, scene.surface[around], x[:, around[1]], y[around[0]], gsd)
        lit *= light.illuminate(style, elevation[around], dark[around], gsd)
        blurred = gaussian_filter(lit, (style.blur, style.blur, 0), truncate=4)[HALO:-HALO, HALO:-HALO]
        np.clip(blurred, 0, 1, out=colour[rows, columns])
    part = slice(HALO, HALO + shape[0]), slice(HALO, HALO + shape[1])
    return View(colour, scene.surface.kind[part], scene.surface.height[part], scene.ground[part])


def _squares(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of squares of a raster, small enough for the processor's cache."""
    for row in range(0, shape[0], SQUARE):
        for column in range(0, shape[1], SQUARE):
            yield slice(row, min(row + SQUARE, shape[0])), slice(column, min(column + SQUARE, shape[1]))


def _pixel_centres(first: int, last: int, gsd: float) -> Floats:
    """Return the coordinates of pixel centres along an axis, in metres."""
    return ((np.arange(first, last) + 0.5) * gsd).astype(np.float32)
