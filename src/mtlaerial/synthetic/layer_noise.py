"""Noise of generated layers: random functions of the town's coordinates, so that tiles agree where they overlap."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.config import HeightSpec
from mtlaerial.synthetic.city.noise import uniform
from mtlaerial.synthetic.tile_layout import Place

PATCH = 4
"""Side in metres of the squares that have a wrong class."""
HEIGHT_KEY = 2**16
"""Random key of the noise of heights, above those of bands."""
LARGEST = 0.999
"""Largest noise of a height, as a share of its distance from the nearest bound, which no height reaches by noise."""


def normal(seed: int, key: int, place: Place) -> NDArray[np.float32]:
    """Return independent standard normal numbers for the pixels of a place, shape (rows, columns).

    ``key`` is a number of the layer or band, so that each has its own noise.
    """
    rows = np.arange(place.row, place.row + place.rows)[:, None]
    columns = np.arange(place.column, place.column + place.columns)
    # Box and Muller, Ann. Math. Statist. 29 (1958): of two uniform numbers, the first in (0, 1].
    radius = np.sqrt(-2 * np.log(1 - uniform(seed, 81, key, rows, columns)))
    angle = np.float32(2 * np.pi) * uniform(seed, 82, key, rows, columns)
    return np.asarray(radius * np.cos(angle), np.float32)


def height_noise(
    seed: int, deviation: float, heights: NDArray[np.float32], bounds: tuple[float, float], place: Place
) -> NDArray[np.float32]:
    """Return noise of heights in metres, with which they stay within bounds, and as high on average.

    Near a bound it is limited alike to both sides: heights cut off at the bound, or lost beyond it, would change their
    mean.

    Parameters
    ----------
    seed : int
    deviation : float
        Standard deviation in metres, far from the bounds.
    heights : array, shape (rows, columns)
        In metres.
    bounds : (float, float)
        Of the heights that are written, read and trained on.
    place : Place
        In pixels of the heights.
    """
    low, high = bounds
    room = np.minimum(heights - low, high - heights).clip(min=0)
    noise = np.float32(deviation) * normal(seed, HEIGHT_KEY, place)
    limit = np.float32(LARGEST) * room
    return np.asarray(noise.clip(-limit, limit), np.float32)


def noise_bounds(spec: HeightSpec, eight_bit: bool) -> tuple[float, float]:
    """Return the least and the greatest height in metres that is written, read and trained on."""
    low, high = spec.valid_range
    if spec.zero_height == "ignore":
        low = max(low, spec.scale / 2 if eight_bit else 0.0)  # less is rounded to 0
    if eight_bit:
        low, high = max(low, spec.offset), min(high, spec.offset + 255 * spec.scale)
    return low, high


def class_shifts(seed: int, share: float, classes: int, place: Place, gsd: float) -> NDArray[np.int64]:
    """Return by how many classes, modulo their number, the label of each pixel is wrong, shape (rows, columns).

    In a square, all pixels are right, or all are wrong by the same number of classes.

    Parameters
    ----------
    seed : int
    share : float
        Share of the squares that are wrong.
    classes : int
        Number of classes, at least 2.
    place : Place
        In pixels of the labels.
    gsd : float
        Metres per pixel of the labels.
    """
    rows = np.floor((np.arange(place.row, place.row + place.rows) + 0.5) * gsd / PATCH)[:, None]
    columns = np.floor((np.arange(place.column, place.column + place.columns) + 0.5) * gsd / PATCH)
    wrong = uniform(seed, 83, rows, columns) < share
    shift = 1 + np.floor(uniform(seed, 84, rows, columns) * (classes - 1))
    return np.where(wrong, shift, 0).astype(np.int64)
