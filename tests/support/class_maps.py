"""Folders of maps as a prediction writes them, made of arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio

from support import tiny

NAMES = ("ground", "building", "tree")


def write_maps(
    folder: Path, codes: np.ndarray, heights: np.ndarray | None = None, names: Sequence[str] = NAMES, **place: object
) -> Path:
    """Write classes, and heights in metres as whole centimetres, shape (rows, columns); NaN is no height."""
    path = tiny.write_raster(folder / "semantics.tif", codes.astype(np.uint8), nodata=255, **place)
    with rasterio.open(path, "r+") as out:
        out.update_tags(**{f"CLASS_{code}": name for code, name in enumerate(names)})
    if heights is not None:
        stored = np.where(np.isnan(heights), -32768, np.round(heights * 100)).astype(np.int16)
        path = tiny.write_raster(folder / "height.tif", stored, nodata=-32768, **place)
        with rasterio.open(path, "r+") as out:
            out.scales = (0.01,)
    return folder


def patches(shape: tuple[int, int], shares: Sequence[float], seed: int = 0) -> np.ndarray:
    """Return codes 0, 1, … with given shares of the cells, in bands of rows as in a generated land cover."""
    edges = np.round(np.cumsum(shares) * shape[0] * shape[1]).astype(int)
    return np.searchsorted(edges, np.arange(shape[0] * shape[1]), side="right").reshape(shape)
