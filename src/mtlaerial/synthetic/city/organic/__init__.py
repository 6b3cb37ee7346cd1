"""The style ``organic``: a town that has grown, of crooked lanes and irregular blocks, in autumn with a lower sun."""

import math

import numpy as np

from mtlaerial.synthetic.city.organic.palette import PALETTE
from mtlaerial.synthetic.city.organic.town import cover
from mtlaerial.synthetic.city.style import Style, Sun, Vegetation
from mtlaerial.synthetic.city.surface import Kind

_DENSITY = np.zeros(len(Kind), np.float32)
_DENSITY[[Kind.GRASS, Kind.PARK, Kind.PAVEMENT, Kind.DRY_GRASS, Kind.SOIL, Kind.YARD]] = (
    0.22,
    0.6,
    0.03,
    0.12,
    0.01,
    0.06,
)

ORGANIC = Style(
    cover=cover,
    hills=((24, 360.0), (4, 90.0)),
    palette=PALETTE,
    # An azimuth of 207 degrees: a row of pixels to the south is half a column to the west.
    sun=Sun(elevation=math.radians(34), east=-0.5),
    ambient=np.array([0.33, 0.36, 0.42, 0.30], np.float32),
    blur=0.85,
    highest=34.0,
    vegetation=Vegetation(
        pitch=6.2,
        density=_DENSITY,
        evergreen=1.1,
        radius=((1.4, 4.4), (1.3, 1.9)),
        height=((6, 13), (8, 15)),
    ),
)
"""The grown town."""
