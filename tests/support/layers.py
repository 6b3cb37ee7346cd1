"""Layers of maps with values, and files of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS

from mtlaerial.maps.cog_writer import CogWriter, open_cog
from mtlaerial.maps.layer import Category, Palette, Ramp, RasterLayer
from mtlaerial.rasters.grid import Grid

UTM = CRS.from_epsg(32615)
CLASSES = Palette((Category(0, "ground", (120, 100, 80)), Category(1, "low vegetation", (0, 200, 0))))
HEIGHTS = RasterLayer(
    "height",
    ("height above ground",),
    "int16",
    -32768,
    "metre",
    0.01,
    lowest=0.0,
    resampling="average",
    style=Ramp(((0.0, (0, 0, 0)), (2.5, (255, 128, 0)))),
)
LERC = RasterLayer("lerc", ("height",), "float32", float("nan"), "metre", codec="lerc", precision=0.01)
CODES = RasterLayer("semantics", ("class",), "uint8", 255, style=CLASSES)
PROBABILITIES = RasterLayer("probability", ("ground", "water", "tree"), "uint8", 255, scale=1 / 250)


def grid(height: int, width: int, crs: CRS | None = UTM) -> Grid:
    return Grid(crs, Affine(0.5, 0, 271_000, 0, -0.5, 3_290_000), height, width)


def heights(height: int, width: int) -> NDArray[np.float32]:
    """Return metres from about -2 to 8, without a value in a rectangle."""
    rows, columns = np.mgrid[:height, :width]
    values = (3 + 5 * np.sin(rows / 31) * np.cos(columns / 17)).astype(np.float32)
    values[height // 4 : height // 2, width // 8 : width // 2] = np.nan
    return values


def codes(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).choice(np.array([0, 1, 255], np.uint8), (height, width))


def blocks(values: NDArray[Any], rows: int = 333, columns: int = 407) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield blocks as the engine delivers them: from north to south, one block of columns after the other."""
    for left in range(0, values.shape[-1], columns):
        for top in range(0, values.shape[-2], rows):
            yield top, left, values[..., top : top + rows, left : left + columns]


def write_layer(
    folder: Path, layer: RasterLayer, values: NDArray[Any], crs: CRS | None = UTM, **sizes: int
) -> CogWriter:
    with open_cog(
        folder / f"{layer.name}.tif", grid(values.shape[-2], values.shape[-1], crs), layer, {"RUN": "town"}
    ) as cog:
        for block in blocks(values, **sizes):
            cog.write(*block)
    return cog
