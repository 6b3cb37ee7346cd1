"""Maps of classes, heights and probabilities that tests vectorise, and objects by an independent implementation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.features import shapes
from scipy import ndimage
from shapely.geometry import Polygon, shape

from mtlaerial.rasters.geotiff import create_raster
from mtlaerial.rasters.grid import Grid

UTM = CRS.from_epsg(32632)
CLASSES = ("ground", "building", "tree")
NO_HEIGHT = -32768


def grid(rows: int, columns: int, pixel: float = 0.5, crs: CRS | None = UTM, row: int = 0, column: int = 0) -> Grid:
    """Return a grid whose first pixel is some rows and columns from a corner."""
    transform = Affine(pixel, 0, 600_000 + column * pixel, 0, -pixel, 5_000_000 - row * pixel)
    return Grid(crs, transform, rows, columns)


def write_maps(
    folder: Path,
    place: Grid,
    codes: np.ndarray,
    heights: np.ndarray | None = None,
    classes: Sequence[str] = CLASSES,
    probability: float | None = None,
) -> Path:
    """Write maps as `mtlaerial predict` does.

    Parameters
    ----------
    folder : Path
    place : Grid
    codes : array of uint8, shape (rows, columns)
    heights : array of int16, shape (rows, columns), optional
        Centimetres.
    classes : sequence of str
    probability : float, optional
        Of each pixel's class, a multiple of 0.004; the other classes have 0.
    """
    with create_raster(folder / "semantics.tif", place, count=1, dtype="uint8", nodata=255) as out:
        out.write(codes.astype(np.uint8), 1)
        out.update_tags(RUN="town", IMAGE=folder.name, **{f"CLASS_{code}": name for code, name in enumerate(classes)})
    if heights is not None:
        with create_raster(folder / "height.tif", place, count=1, dtype="int16", nodata=NO_HEIGHT) as out:
            out.write(heights.astype(np.int16), 1)
            out.scales = (0.01,)
    if probability is not None:
        path = folder / "semantics_probabilities.tif"
        with create_raster(path, place, count=len(classes), dtype="uint8", nodata=255) as out:
            steps = [np.where(codes == code, round(probability / 0.004), 0) for code in range(len(classes))]
            out.write(np.stack(steps).astype(np.uint8))
            out.scales = (0.004,) * len(classes)
    return folder


def reference_objects(codes: np.ndarray, wanted: Sequence[int], transform: Affine) -> list[tuple[Polygon, np.ndarray]]:
    """Return polygon and pixels of each object, by GDAL's polygoniser, in the order of the first pixels."""
    objects = []
    for code in wanted:
        labels, count = ndimage.label(codes == code)
        for number in range(1, count + 1):
            pixels = labels == number
            ((geometry, _),) = shapes(pixels.astype(np.uint8), mask=pixels, connectivity=4, transform=transform)
            objects.append((shape(geometry), pixels))
    return sorted(objects, key=lambda each: int(np.flatnonzero(each[1])[0]))


def random_maps(rng: np.random.Generator) -> dict[str, Any]:
    """Return noise: codes with pixels of no class, and heights in centimetres with pixels of none."""
    shape = tuple(rng.integers(1, 28, 2))
    codes = np.where(rng.random(shape) < 0.65, rng.integers(1, 3, shape), 0).astype(np.uint8)
    codes[rng.random(shape) < 0.02] = 255
    heights = rng.integers(0, 2000, shape).astype(np.int16)
    heights[rng.random(shape) < 0.2] = NO_HEIGHT
    return {"codes": codes, "heights": heights}
