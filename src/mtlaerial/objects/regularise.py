"""Outlines with right angles, by the package buildingregulariser."""

import warnings
from importlib.util import find_spec

import numpy as np
import shapely
from shapely.geometry.polygon import orient

from mtlaerial.errors import ConfigError
from mtlaerial.objects.frame import ground_scale, sizes
from mtlaerial.objects.object_store import ObjectStore
from mtlaerial.objects.outlines import Polygons
from mtlaerial.objects.overlaps import without_overlaps
from mtlaerial.rasters.grid import Grid

PACKAGE = "buildingregulariser"
TOLERANCE = 2.5
"""Pixels by which an outline is simplified before its edges are turned; the package's page says two to three."""
_PARALLEL = 2.0
"""Largest distance of parallel edges that become one, in tolerances, as by default in the package."""
FARTHEST = 10.0
"""Pixels between the two outlines of an object, at most. Of 47 buildings from LiDAR at 0.3 m one is beyond it, half are
within 4.5; of 1,030 groups of trees 22, by up to 42 pixels."""
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


def regularise(store: ObjectStore, grid: Grid) -> int:
    """Replace outlines by regularised ones, and return how many objects keep the outlines along pixels.

    An object keeps its outline where the regularised one is empty, invalid or in several parts, farther from it than
    ``FARTHEST`` at any corner, or overlaps another. Areas, perimeters and volumes follow from the new outlines; heights
    stay those of the pixels.
    """
    pixel = max(grid.pixel_size)
    for part in store.outlines():
        proposals = _regularised(part.polygons, TOLERANCE * pixel)
        pairs = zip(part.polygons, proposals, strict=True)
        sound = np.array([_is_sound(new) and _are_near(old, new, FARTHEST * pixel) for old, new in pairs], np.bool_)
        store.propose(part.firsts[sound], _oriented(proposals[sound]))
    adopted = without_overlaps(store.outlines, FARTHEST * pixel, _NEGLIGIBLE * pixel**2)
    for part in store.outlines():
        chosen = np.isin(part.firsts, adopted)
        store.adopt(part.firsts[chosen], *sizes(part.proposals[chosen], ground_scale(grid)))
    return len(store) - len(adopted)


def _oriented(polygons: Polygons) -> Polygons:
    return np.array([orient(polygon) for polygon in shapely.normalize(polygons)], dtype=object)


def _regularised(polygons: Polygons, tolerance: float) -> Polygons:
    """Return the package's outline of each object; None where there is not exactly one."""
    import geopandas as gpd
    from buildingregulariser import regularize_geodataframe

    result: Polygons = np.full(len(polygons), None, dtype=object)
    numbered = gpd.GeoDataFrame({"number": np.arange(len(polygons))}, geometry=polygons)
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


def _are_near(first: shapely.Polygon, second: shapely.Polygon, distance: float) -> bool:
    """Tell whether all corners of each outline are within a distance of the other one, holes included."""
    for polygon, other in ((first, second), (second, first)):
        line = other.boundary
        shapely.prepare(line)  # with an index, as outlines have many corners
        if not shapely.dwithin(line, shapely.points(shapely.get_coordinates(polygon)), distance).all():
            return False
    return True
