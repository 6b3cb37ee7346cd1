"""Layer of polygons, as its file has it, and on the CRS of maps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS as Projection

from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError
from mtlaerial.rasters.projection import horizontal_projection, metres_per_unit, same_projection

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

_KINDS = ("Polygon", "MultiPolygon")
_SEGMENT = 500.0
"""Longest side in metres that is transformed by its ends: a projection bends it by millimetres."""
_SEGMENT_IN_DEGREES = 0.005


@dataclass(frozen=True)
class PolygonLayer:
    """Polygons with attributes.

    Attributes
    ----------
    path : Path
    frame : GeoDataFrame
        Attributes and polygons of the file, without heights of corners; a feature without polygon has None.
    mended : int
        Number of polygons that were invalid, and were made valid.
    """

    path: Path
    frame: "GeoDataFrame"
    mended: int

    def ground_areas(self) -> NDArray[np.float64]:
        """Return the area of each polygon in square metres on the ellipsoid; NaN without one.

        In a CRS without an ellipsoid, as one of a building site, it is the area in the plane.
        """
        projection = horizontal_projection(self.frame.crs.to_wkt())
        present = self.frame.geometry.notna().to_numpy()
        areas = np.full(len(self.frame), np.nan)
        if projection.geodetic_crs is None:
            areas[present] = self.frame.geometry[present].area * metres_per_unit(projection) ** 2
            return areas
        ellipsoid = projection.get_geod()
        assert ellipsoid is not None  # a CRS with longitudes and latitudes has one
        # With outlines and holes in opposite directions, whose areas have opposite signs.
        positions = shapely.normalize(np.asarray(_transformed(self.frame.geometry, projection.geodetic_crs.to_2d())))
        for index in np.flatnonzero(present):
            areas[index] = abs(ellipsoid.geometry_area_perimeter(positions[index])[0])
        return areas

    def on(self, projection: Projection) -> NDArray[np.object_]:
        """Return the polygons in another CRS; None where there is none, or it has no place there."""
        shapes = np.array(_transformed(self.frame.geometry, projection), dtype=object)
        shapes[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None
        return _valid(shapes)[0]


def read_polygons(path: Path) -> PolygonLayer:
    """Return the polygons of a vector file.

    Raises
    ------
    DataError
        When it is no vector file of an accepted format, has other geometries than polygons, none at all, or no CRS.
    """
    frame = read_vector_file(path)
    kinds = sorted(set(frame.geometry.geom_type.dropna()) - set(_KINDS))
    if kinds or frame.geometry.isna().all():
        remedy = "Give a layer of polygons, such as parcels or districts."
        raise DataError(path, " and ".join(kinds) or "no geometry", "polygons", remedy)
    if frame.crs is None:
        remedy = "State it, e.g. in QGIS: Layer, Set CRS, and save the layer to a new file."
        raise DataError(path, "no CRS", "polygons with a CRS", remedy)
    shapes, mended = _valid(shapely.force_2d(np.array(frame.geometry, dtype=object)))
    return PolygonLayer(path, frame.set_geometry(_series(shapes, frame.crs)), mended)


def _series(shapes: NDArray[np.object_], crs: Any) -> "GeoSeries":
    from geopandas import GeoSeries

    return GeoSeries(shapes, crs=crs)


def _transformed(polygons: "GeoSeries", projection: Projection) -> "GeoSeries":
    """Return polygons in another CRS; their sides are divided first, as a projection bends them."""
    source = horizontal_projection(polygons.crs.to_wkt())
    if same_projection(source, projection):
        return polygons
    longest = _SEGMENT_IN_DEGREES if source.is_geographic else _SEGMENT / metres_per_unit(source)
    return polygons.set_crs(source, allow_override=True).segmentize(longest).to_crs(projection)


def _valid(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """Return shapes as valid polygons, None for those without area, and how many were invalid."""
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    result = shapes.copy()
    for index in np.flatnonzero(invalid):
        result[index] = _polygons_of(shapely.make_valid(shapes[index]))
    result[~(shapely.area(result) > 0)] = None
    return result, int(invalid.sum())


def _polygons_of(shape: Any) -> Any:
    """Return the polygons of a shape, without the lines and points that mending leaves."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in _KINDS]
    return shapely.union_all(parts)
