"""The style ``grid``: a planned town of straight streets and rectangular blocks, in summer."""

import math

import numpy as np

from mtlaerial.synthetic.city.grid.palette import PALETTE
from mtlaerial.synthetic.city.grid.town import cover
from mtlaerial.synthetic.city.style import Style, Sun, Vegetation
from mtlaerial.synthetic.city.surface import Kind

_DENSITY = np.zeros(len(Kind), np.float32)
_DENSITY[[Kind.GRASS, Kind.PARK, Kind.PAVEMENT, Kind.DRY_GRASS, Kind.SOIL, Kind.YARD]] = (
    0.3,
    0.55,
    0.24,
    0.07,
    0.03,
    0.04,
)

GRID = Style(
    cover=cover,
    hills=((14, 420.0), (2.5, 110.0)),
    palette=PALETTE,
    # South-east, so that shadows fall along the diagonals of pixels.
    sun=Sun(elevation=math.radians(44), east=1),
    ambient=np.array([0.27, 0.31, 0.39, 0.24], np.float32),
    blur=0.55,
    highest=26.0,
    vegetation=Vegetation(
        pitch=5.6,
        density=_DENSITY,
        evergreen=0.75,
        radius=((1.9, 3.3), (1.6, 1.5)),
        height=((4.5, 9.5), (6, 10)),
    ),
)
"""The planned town."""
