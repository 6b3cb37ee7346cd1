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
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.ground_size import ground_pixel_size

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Scale = tuple[float, float]
"""Metres on the ground per unit of the second and of the first coordinate of a CRS."""


def ground_scale(grid: Grid) -> Scale:
    """Return the metres on the ground per unit of a grid's CRS, at its centre."""
    height, width = (size / side for size, side in zip(ground_pixel_size(grid), grid.pixel_size, strict=True))
    return height, width


def object_values(objects: Objects, classes: Sequence[str], scale: Scale) -> dict[str, NDArray[Any]]:
    """Return the columns of objects, by their names; without ``id`` and the bounds of heights.

    Parameters
    ----------
    objects : Objects
    classes : sequence of str
        Names of the classes by code.
    scale : Scale
        Of the CRS that the outlines are in.
    """
    tallies, heights = objects.tallies, objects.heights
    area, perimeter = sizes(objects.polygons, scale)
    return {
        "class": np.array(classes, dtype=object)[tallies.codes],
        "area": area,
        "perimeter": perimeter,
        "height_median": heights["median"],
        "height_p90": heights["p90"],
        "height_max": heights["max"],
        "volume": area * heights["mean"],  # that of the pixels where no hole is filled
        "probability": _ratio(tallies.probability, tallies.probable) / PER_UNIT,
        "violations": _ratio(tallies.violating, tallies.checked),
        "touches_edge": tallies.at_edge,
    }


def table_of(polygons: Polygons, values: Mapping[str, NDArray[Any]], crs: str) -> "GeoDataFrame":
    """Return a table with all columns in their order and dtypes; those without values are NaN."""
    import geopandas as gpd  # here, as the import takes half a second
    import pandas as pd

    nothing = np.full(len(polygons), np.nan)
    columns = {each.name: pd.Series(values.get(each.name, nothing), dtype=each.dtype) for each in COLUMNS}
    return gpd.GeoDataFrame(columns, geometry=polygons, crs=crs)


def sizes(polygons: Polygons, scale: Scale) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return areas in square metres, and lengths of all rings in metres."""
    height, width = scale
    perimeter = shapely.length(shapely.transform(polygons, lambda points: points * (width, height)))
    return shapely.area(polygons) * height * width, perimeter


def _ratio(sums: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return quotients; NaN where nothing is counted."""
    ratios: NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return ratios
