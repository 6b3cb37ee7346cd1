"""The area of a prediction: polygons of a vector file, in the CRS of each image."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS as Projection
from pyproj import Transformer
from pyproj.exceptions import CRSError, ProjError

from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError, MismatchError
from mtlaerial.rasters.grid import Grid
from mtlaerial.rasters.projection import horizontal_projection

_LONGEST_SIDE = 1000.0
"""Segments per extent of the area that its sides are divided into: a projection bends straight lines."""


class OutsideArea(MismatchError):
    """An image that has nothing of the area."""


@dataclass(frozen=True)
class Area:
    """Polygons of a vector file, joined, in the file's CRS; None for a file without one."""

    path: Path
    shape: Any
    projection: Projection | None

    @property
    def sha256(self) -> str:
        """Hash of shape and CRS."""
        crs = self.projection.to_wkt() if self.projection else ""
        return hashlib.sha256(shapely.to_wkb(self.shape) + crs.encode()).hexdigest()


def load_area(path: Path) -> Area:
    """Return the area of a vector file: its polygons, joined.

    Raises
    ------
    DataError
        When it is no vector file of an accepted format, or has no polygon.
    """
    features = read_vector_file(path)
    shapes = [shape for shape in features.geometry if shape is not None and not shape.is_empty]
    kinds = sorted({shape.geom_type for shape in shapes} - {"Polygon", "MultiPolygon"})
    if kinds or not shapes:
        remedy = "Draw the area as polygons, e.g. with QGIS."
        raise DataError(path, " and ".join(kinds) or "no geometry", "polygons", remedy)
    joined = shapely.force_2d(shapely.union_all([shapely.make_valid(shape) for shape in shapes]))
    if joined.area == 0:
        raise DataError(path, "polygons without area", "an area", "Draw the area as polygons, e.g. with QGIS.")
    projection = None if features.crs is None else horizontal_projection(features.crs.to_wkt())
    return Area(path, joined, projection)


def area_on(area: Area, image: Path, grid: Grid) -> Any:
    """Return the part of an area that lies on an image, in the image's CRS.

    Raises
    ------
    OutsideArea
        When nothing of it does.
    MismatchError
        When one of both has a CRS and the other none, or the area has no place in the image's.
    """
    shape = _in_crs(area, image, grid)
    part = shapely.intersection(shape, outline(grid))
    if part.area == 0:
        west, south, east, north = (f"{value:.9g}" for value in shape.bounds)
        observed = f"an image that has nothing of it (the area reaches from {west} {south} to {east} {north} there)"
        remedy = "Check the CRS of both, or take another image."
        raise OutsideArea(area.path, observed, f"an area that overlaps {image}", remedy)
    return part


def outline(grid: Grid) -> Any:
    """Return the outline of a raster as a polygon in its CRS."""
    corners = ((0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height))
    return shapely.Polygon([grid.transform @ corner for corner in corners])


def in_projection(shape: Any, source: Projection, target: Projection) -> Any:
    """Return a shape in another CRS; its sides are divided first, as a projection bends them.

    Raises
    ------
    ProjError
        When it has no place there.
    """
    west, south, east, north = shape.bounds
    divided = shapely.segmentize(shape, max(east - west, north - south, 1e-9) / _LONGEST_SIDE)
    transformer = Transformer.from_crs(source, target, always_xy=True)

    def project(points: Any) -> Any:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1], errcheck=True))

    return shapely.make_valid(shapely.transform(divided, project))


def _in_crs(area: Area, image: Path, grid: Grid) -> Any:
    target = None if grid.crs is None else horizontal_projection(grid.crs.to_wkt())
    if (area.projection is None) != (target is None):
        remedy = "Add the CRS to the one that lacks it, e.g.: rio edit-info --crs EPSG:CODE IMAGE"
        without, other = (area.path, image) if area.projection is None else (image, area.path)
        raise MismatchError(without, "no CRS", f"one, as {other} has one", remedy)
    if area.projection is None or target is None or area.projection == target:
        return area.shape
    try:
        return in_projection(area.shape, area.projection, target)
    except (ProjError, CRSError) as error:
        observed = f"an area without a place in the CRS of {image} ({error})"
        raise MismatchError(area.path, observed, "an area that overlaps it", "Check the CRS of both.") from None
