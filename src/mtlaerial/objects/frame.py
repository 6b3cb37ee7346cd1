"""The table of objects, as a GeoDataFrame."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.objects.columns import COLUMNS
from mtlaerial.objects.outlines import Polygons
from mtlaerial.objects.search import Objects
from mtlaerial.objects.strip import PER_UNIT
from mtlaerial.objects.tallies import Tallies
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size
from mtlaerial.rasters.projection import horizontal_code

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

BATCH = 20_000
"""Objects that are measured or written at once."""
Scale = tuple[float, float]
"""Metres on the ground per unit of the second and of the first coordinate of a CRS."""


def ground_scale(grid: Grid) -> Scale:
    """Return the metres on the ground per unit of a grid's CRS, at its centre."""
    height, width = (size / side for size, side in zip(ground_pixel_size(grid), grid.pixel_size, strict=True))
    return height, width


def objects_frame(parts: Sequence[Objects], classes: Sequence[str], grid: Grid) -> "GeoDataFrame":
    """Return the table of objects, sorted by their first pixels.

    Parameters
    ----------
    parts : sequence of Objects
        In any order.
    classes : sequence of str
        Names of the classes by code.
    grid : Grid
        Of the region.

    Returns
    -------
    GeoDataFrame
        The columns of :mod:`mtlaerial.objects.columns`, in the CRS of the grid. Bounds of heights are NaN.
    """
    polygons: Polygons = np.concatenate([np.zeros(0, dtype=object), *(part.polygons for part in parts)])
    firsts = np.concatenate([np.zeros(0, dtype=np.int64), *(part.tallies.first for part in parts)])
    order = np.argsort(firsts)
    parts_values = [_values(part, classes) for part in parts] or [_values(_no_objects(), classes)]
    values = {name: np.concatenate([part[name] for part in parts_values])[order] for name in parts_values[0]}
    values["id"] = np.arange(1, len(order) + 1)
    values["area"], values["perimeter"] = _sizes(polygons[order], ground_scale(grid))
    # That of the pixels where no hole is filled.
    values["volume"] = values["area"] * values.pop("height_mean")
    return table_of(polygons[order], values, horizontal_code(grid.crs))


def table_of(polygons: Polygons, values: Mapping[str, NDArray[Any]], crs: str) -> "GeoDataFrame":
    """Return a table with all columns in their order and dtypes; those without values are NaN."""
    import geopandas as gpd  # here, as the import takes half a second
    import pandas as pd

    nothing = np.full(len(polygons), np.nan)
    columns = {each.name: pd.Series(values.get(each.name, nothing), dtype=each.dtype) for each in COLUMNS}
    return gpd.GeoDataFrame(columns, geometry=polygons, crs=crs)


def with_polygons(frame: "GeoDataFrame", polygons: Polygons, scale: Scale) -> "GeoDataFrame":
    """Return the table with other polygons, and the areas, perimeters and volumes that follow from them."""
    area, perimeter = _sizes(polygons, scale)
    mean_height = frame["volume"] / frame["area"]
    changed = frame.assign(area=area, perimeter=perimeter, volume=area * mean_height)
    return changed.set_geometry(polygons, crs=frame.crs)


def _sizes(polygons: Polygons, scale: Scale) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return areas in square metres, and lengths of all rings in metres."""
    height, width = scale
    perimeter = np.zeros(len(polygons))
    # A copy of all outlines would double the memory.
    for first in range(0, len(polygons), BATCH):
        part = np.s_[first : first + BATCH]
        perimeter[part] = shapely.length(shapely.transform(polygons[part], lambda points: points * (width, height)))
    return shapely.area(polygons) * height * width, perimeter


def _values(part: Objects, classes: Sequence[str]) -> dict[str, NDArray[Any]]:
    tallies, heights = part.tallies, part.heights
    return {
        "class": np.array(classes, dtype=object)[tallies.codes],
        "height_median": heights["median"],
        "height_p90": heights["p90"],
        "height_max": heights["max"],
        "height_mean": heights["mean"],
        "probability": _ratio(tallies.probability, tallies.probable) / PER_UNIT,
        "violations": _ratio(tallies.violating, tallies.checked),
        "touches_edge": tallies.at_edge,
    }


def _ratio(sums: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return quotients; NaN where nothing is counted."""
    ratios: NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return ratios


def _no_objects() -> Objects:
    heights = {name: np.zeros(0) for name in ("median", "p90", "max", "mean")}
    return Objects(np.zeros(0, dtype=object), Tallies.none(), heights)
