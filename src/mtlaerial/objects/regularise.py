"""Outlines with right angles, by the package buildingregulariser."""

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.polygon import orient

from mtlaerial.errors import ConfigError
from mtlaerial.objects.frame import ground_scale, with_polygons
from mtlaerial.objects.outlines import Polygons
from mtlaerial.rasters.grid import Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PACKAGE = "buildingregulariser"
TOLERANCE = 2.5
"""Pixels by which an outline is simplified before its edges are turned; the package's page says two to three."""
_PARALLEL = 2.0
"""Largest distance of parallel edges that become one, in tolerances, as by default in the package."""
_NEGLIGIBLE = 1e-6
"""Area of an overlap, in pixels, that rounding explains."""


def require_regulariser() -> None:
    """Require the package that regularises.

    Raises
    ------
    ConfigError
        When it is not installed.
    """
    if find_spec(PACKAGE) is None:
        remedy = "Install it with: pip install 'mtlaerial[objects]'"
        raise ConfigError("regularise", f"no package {PACKAGE}", "it to be installed", remedy)


def regularise(frame: "GeoDataFrame", grid: Grid) -> tuple["GeoDataFrame", int]:
    """Return the table with regularised outlines, and how many objects keep the outlines along pixels.

    An object keeps its outline where the regularised one is empty, invalid or in several parts, or overlaps another.
    Areas, perimeters and volumes follow from the new outlines; heights stay those of the pixels.
    """
    pixel = max(grid.pixel_size)
    raw: Polygons = np.asarray(frame.geometry.array, dtype=object)
    regular = _regularised(frame, TOLERANCE * pixel)
    changed = np.array([_is_sound(polygon) for polygon in regular], dtype=np.bool_)
    polygons = np.where(changed, regular, raw)
    # An outline that is taken back may overlap others; those along pixels never do, so that this ends.
    while (overlapping := _overlapping(polygons, changed, _NEGLIGIBLE * pixel**2)).any():
        changed &= ~overlapping
        polygons = np.where(changed, regular, raw)
    for index in np.flatnonzero(changed):
        polygons[index] = orient(shapely.normalize(polygons[index]))
    return with_polygons(frame, polygons, ground_scale(grid)), int(np.count_nonzero(~changed))


def _regularised(frame: "GeoDataFrame", tolerance: float) -> Polygons:
    """Return the package's outline of each object; None where there is not exactly one."""
    from buildingregulariser import regularize_geodataframe

    numbered = frame[[frame.geometry.name]].assign(number=np.arange(len(frame)))
    result: Polygons = np.full(len(frame), None, dtype=object)
    if frame.empty:
        return result
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on single outlines, which are checked here
        regular = regularize_geodataframe(
            numbered, simplify_tolerance=tolerance, parallel_threshold=_PARALLEL * tolerance, num_cores=1
        )
    single = regular[~regular["number"].duplicated(keep=False)]
    result[single["number"].to_numpy()] = np.asarray(single.geometry.array, dtype=object)
    return result


def _is_sound(polygon: shapely.Geometry | None) -> bool:
    return isinstance(polygon, shapely.Polygon) and not polygon.is_empty and bool(polygon.is_valid)


def _overlapping(polygons: Polygons, changed: NDArray[np.bool_], negligible: float) -> NDArray[np.bool_]:
    """Return which changed outlines overlap another outline."""
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = (first < second) & (changed[first] | changed[second])
    first, second = first[pairs], second[pairs]
    areas = shapely.area(shapely.intersection(polygons[first], polygons[second]))
    result = np.zeros(len(polygons), dtype=np.bool_)
    result[np.concatenate([first[areas > negligible], second[areas > negligible]])] = True
    return result & changed
