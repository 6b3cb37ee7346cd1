"""Colours of the grown town in autumn: slate and mossy tiles, cobbles, yellow and brown foliage, pale meadows."""

from mtlaerial.synthetic.city.style import Palette
from mtlaerial.synthetic.city.surface import Kind

_GREENS = {
    Kind.GRASS: [(0.40, 0.42, 0.18, 0.78)],
    Kind.PARK: [(0.43, 0.40, 0.19, 0.78)],
    Kind.DRY_GRASS: [(0.70, 0.62, 0.38, 0.74)],
    Kind.TURF: [(0.20, 0.40, 0.30, 0.55)],
    Kind.DECIDUOUS: [
        (0.56, 0.36, 0.11, 0.80),
        (0.66, 0.49, 0.13, 0.84),
        (0.44, 0.36, 0.12, 0.76),
        (0.50, 0.25, 0.11, 0.74),
        (0.36, 0.38, 0.14, 0.76),
    ],
    Kind.EVERGREEN: [(0.10, 0.20, 0.19, 0.46), (0.13, 0.24, 0.20, 0.52)],
    Kind.SOIL: [(0.30, 0.23, 0.19, 0.30), (0.36, 0.28, 0.22, 0.34), (0.26, 0.20, 0.18, 0.28), (0.52, 0.44, 0.38, 0.50)],
}
_OTHERS = {
    Kind.WATER: [(0.20, 0.24, 0.18, 0.06), (0.25, 0.27, 0.20, 0.08)],
    Kind.HOUSE: [
        (0.30, 0.33, 0.39, 0.30),
        (0.37, 0.39, 0.43, 0.36),
        (0.42, 0.30, 0.22, 0.40),
        (0.33, 0.24, 0.19, 0.34),
        (0.42, 0.41, 0.30, 0.46),
        (0.54, 0.40, 0.26, 0.50),
        (0.24, 0.25, 0.28, 0.24),
        (0.70, 0.60, 0.42, 0.62),
        (0.56, 0.34, 0.30, 0.50),
    ],
    Kind.HALL: [
        (0.33, 0.52, 0.46, 0.40),
        (0.30, 0.33, 0.37, 0.30),
        (0.50, 0.42, 0.36, 0.46),
        (0.58, 0.36, 0.28, 0.50),
        (0.62, 0.64, 0.66, 0.58),
        (0.40, 0.36, 0.30, 0.38),
    ],
    Kind.ROAD: [(0.56, 0.51, 0.45, 0.52)],
    Kind.MAIN_ROAD: [(0.50, 0.49, 0.49, 0.46)],
    Kind.CROSSWALK: [(0.50, 0.49, 0.49, 0.46)],
    Kind.PAVEMENT: [(0.66, 0.60, 0.53, 0.60)],
    Kind.PARKING: [(0.54, 0.51, 0.48, 0.50)],
    Kind.YARD: [(0.72, 0.66, 0.54, 0.64), (0.62, 0.56, 0.48, 0.56), (0.58, 0.54, 0.50, 0.52), (0.55, 0.46, 0.36, 0.48)],
    Kind.CAR: [
        (0.88, 0.88, 0.86, 0.84),
        (0.30, 0.32, 0.34, 0.30),
        (0.16, 0.17, 0.20, 0.16),
        (0.62, 0.20, 0.16, 0.56),
        (0.24, 0.36, 0.44, 0.36),
        (0.60, 0.56, 0.40, 0.54),
    ],
}
_TEXTURE = (
    dict.fromkeys(_GREENS, 0.34)
    | dict.fromkeys((Kind.DECIDUOUS, Kind.EVERGREEN), 0.5)
    | dict.fromkeys((Kind.HOUSE, Kind.HALL), 0.16)
    | dict.fromkeys((Kind.WATER, Kind.CAR), 0.05)
)
PALETTE = Palette.of(_GREENS | _OTHERS, _TEXTURE, smoothest=0.12)
