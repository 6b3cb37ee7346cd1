"""Objects of a vector file, to be matched and scored."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from mtlaerial.config.faults import did_you_mean
from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.objects.matching import Polygons
from mtlaerial.rasters.ground_size import ground_scales
from mtlaerial.rasters.projection import horizontal_projection, metres_per_unit, same_projection

Values = NDArray[np.float64]
HEIGHT = "height_median"
_BOUNDS = ("height_lower", "height_upper")
_AREAL = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class ObjectSet:
    """Objects with their heights.

    Attributes
    ----------
    polygons : array of shapely polygons, shape (objects,)
    crs : pyproj.CRS
        A projected one.
    areas : array, shape (objects,)
        m² on the ground.
    heights, lower, upper : array, shape (objects,)
        Height and the bounds of its interval in metres; NaN without one.
    notes : tuple of str
        Sentences on what was left out, mended or reprojected.
    class_name : str
        Of objects of maps; empty where there are none, or the file does not say.
    """

    polygons: Polygons
    crs: CRS
    areas: Values
    heights: Values
    lower: Values
    upper: Values
    notes: tuple[str, ...]
    class_name: str = ""

    def __len__(self) -> int:
        return len(self.polygons)


def read_predicted(path: Path, class_name: str | None) -> ObjectSet:
    """Return the objects of maps in a file with the columns of :mod:`mtlaerial.objects.columns`.

    Parameters
    ----------
    path : Path
    class_name : str, optional
        Class whose objects are taken; needed where the file has several.

    Raises
    ------
    UserError
        See :func:`read_polygons`; or when the class is unknown, or the CRS is not projected.
    """
    table = read_vector_file(path)
    if (source := projection_of_table(path, table)).is_geographic:
        expected = "a projected CRS, as areas are measured"
        raise DataError(path, f"the CRS {source.name}", expected, "Vectorise maps in a projected CRS.")
    chosen = _of_class(path, table, class_name)
    name = class_name or next(iter(chosen["class"]), "")
    return replace(object_set(path, chosen, HEIGHT, source), class_name=name)


def read_polygons(path: Path, height_column: str | None, crs: CRS) -> ObjectSet:
    """Return the polygons of a vector file as objects.

    Parameters
    ----------
    path : Path
    height_column : str, optional
        Column of heights in metres; without it objects have none.
    crs : pyproj.CRS
        The projected CRS that they are brought to.

    Raises
    ------
    UserError
        When the file cannot be read, lacks the column, has features that are no polygons, or no CRS.
    """
    return object_set(path, read_vector_file(path), height_column, crs)


def object_set(path: Path, table: Any, height_column: str | None, target: CRS) -> ObjectSet:
    """Return the polygons of a GeoDataFrame as objects in a CRS; see :func:`read_polygons`."""
    source = projection_of_table(path, table)
    notes = []
    if not same_projection(source, target):
        table = table.to_crs(target)
        notes.append(f"{path.name} was reprojected from {source.name} to {target.name}.")
    heights = _numbers(path, table, height_column) if height_column else np.full(len(table), np.nan)
    bounds = [_numbers(path, table, name) if name in table.columns else heights * np.nan for name in _BOUNDS]
    polygons, usable, mended = _polygons(path, table)
    if mended:
        notes.append(f"{mended} polygons of {path.name} were invalid, and were mended (make_valid).")
    if not usable.all():
        notes.append(f"{(~usable).sum()} features of {path.name} have no area, and were left out.")
    lower, upper = (each[usable] for each in bounds)
    areas = shapely.area(polygons[usable]) * _square_metres(target, polygons[usable])
    return ObjectSet(polygons[usable], target, areas, heights[usable], lower, upper, tuple(notes))


def _of_class(path: Path, table: Any, name: str | None) -> Any:
    if "class" not in table.columns:
        raise DataError(path, "no column class", "objects that vectorise wrote", "Give OBJECTS first, then TRUTH.")
    names = sorted(map(str, table["class"].dropna().unique()))
    if name is None and len(names) > 1:
        raise ConfigError("--class", "nothing", f"one of the classes of {path}: {', '.join(names)}", "Choose one.")
    if name is not None and name not in names and len(table):
        remedy = did_you_mean(name, names, "Choose one of them.")
        raise ConfigError("--class", repr(name), f"one of the classes of {path}: {', '.join(names)}", remedy)
    return table if name is None else table[table["class"] == name]


def projection_of_table(path: Path, table: Any) -> CRS:
    """Return the horizontal part of the CRS of a table that was read from a file."""
    if table.crs is None:
        raise DataError(path, "no CRS", "polygons with a CRS", "Assign it, e.g. with QGIS.")
    return horizontal_projection(table.crs.to_wkt())


def _numbers(path: Path, table: Any, column: str) -> Values:
    if column not in table.columns:
        expected = f"one of {', '.join(map(str, table.columns.drop('geometry')))}"
        raise DataError(path, f"no column {column}", expected, "Name the column of heights in metres.")
    values = np.asarray(pd.to_numeric(table[column], errors="coerce"), dtype=np.float64)
    if (np.isnan(values) & table[column].notna().to_numpy()).any():
        raise DataError(path, f"a column {column} with texts", "heights in metres", "Name another column.")
    return values


def _polygons(path: Path, table: Any) -> tuple[Polygons, NDArray[np.bool_], int]:
    """Return valid polygons, which of them have an area, and how many were mended."""
    polygons = np.asarray(table.geometry.array, dtype=object)
    kinds = set(table.geometry.geom_type.dropna()) - set(_AREAL)
    if kinds:
        raise DataError(path, f"a {min(kinds)}", "polygons alone", "Give a file of polygons.")
    invalid = ~(shapely.is_valid(polygons) | shapely.is_missing(polygons))
    polygons[invalid] = shapely.make_valid(polygons[invalid], method="structure", keep_collapsed=False)
    return polygons, shapely.area(polygons) > 0, int(invalid.sum())


def _square_metres(crs: CRS, polygons: Polygons) -> float:
    """Return the m² on the ground in a square unit of a CRS, in the middle of the polygons."""
    if not len(polygons):
        return metres_per_unit(crs) ** 2
    west, south, east, north = shapely.total_bounds(polygons)
    scales = ground_scales(crs, ((west + east) / 2, (south + north) / 2))
    return scales[0] * scales[1] if scales else metres_per_unit(crs) ** 2
