"""Noise of generated layers: random functions of the town's coordinates, so that tiles agree where they overlap."""

import numpy as np
from numpy.typing import NDArray

from mtlaerial.synthetic.city.noise import uniform
from mtlaerial.synthetic.tile_layout import Place

PATCH = 4
"""Side in metres of the squares that have a wrong class."""


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
