"""Folders of maps as a prediction writes them, made of arrays in the place of the other test rasters."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from mtlaerial.rasters.grid import Grid
from support import object_maps
from support.tiny import NORTH, UTM, WEST

NAMES = object_maps.CLASSES


def write_maps(
    folder: Path,
    codes: np.ndarray,
    heights: np.ndarray | None = None,
    names: Sequence[str] = NAMES,
    pixel: float = 0.5,
    west: float = WEST,
    north: float = NORTH,
    crs: CRS | str | None = UTM,
) -> Path:
    """Write classes, and heights in metres as whole centimetres, shape (rows, columns); NaN is no height."""
    place = Grid(CRS.from_user_input(crs) if crs else None, Affine(pixel, 0, west, 0, -pixel, north), *codes.shape)
    stored = None
    if heights is not None:
        stored = np.where(np.isnan(heights), object_maps.NO_HEIGHT, np.round(heights * 100))
    return object_maps.write_maps(folder, place, codes, stored, names)


def patches(shape: tuple[int, int], shares: Sequence[float]) -> np.ndarray:
    """Return codes 0, 1, … with given shares of the cells, in bands of rows as in a generated land cover."""
    edges = np.round(np.cumsum(shares) * shape[0] * shape[1]).astype(int)
    return np.searchsorted(edges, np.arange(shape[0] * shape[1]), side="right").reshape(shape)
