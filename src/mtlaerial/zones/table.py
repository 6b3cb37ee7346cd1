"""Table of zonal statistics: columns that are added to a layer of polygons, and sentences on it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from mtlaerial.errors import DataError
from mtlaerial.maps.map_folder import HEIGHTS, MapFolder
from mtlaerial.zones.polygon_layer import PolygonLayer

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from mtlaerial.zones.map_sums import MapSums

PREFIX = "map_"
"""Beginning of the names of the columns."""
MEASURES = ("mean", "median", "p90", "max")
"""Measures of heights."""
_DECIMALS = 6
"""Of the share without a class: exactextract's shares of pixels are float32."""
Columns = dict[str, NDArray[Any]]


def class_columns(folder: MapFolder, layer: PolygonLayer, shapes: NDArray[np.object_], sums: "MapSums") -> Columns:
    """Return the area of polygons and of each class on the ground, and the share without a class."""
    transform = folder.grid.transform
    planar = shapely.area(shapes) / abs(transform.a * transform.e)
    ground = layer.ground_areas()
    # A polygon without a place in the maps' CRS has no area there, and no pixel.
    shares = np.divide(sums.cells, planar[:, None], out=np.zeros_like(sums.cells), where=planar[:, None] > 0)
    no_data = np.where(np.isnan(ground), np.nan, np.clip(1 - shares.sum(axis=1), 0, 1))
    areas = {f"{PREFIX}area_{name}": shares[:, code] * ground for code, name in enumerate(folder.classes)}
    return {f"{PREFIX}area": ground, f"{PREFIX}no_data": no_data.round(_DECIMALS), **areas}


def height_columns(sums: "MapSums") -> Columns:
    """Return the measures of the heights."""
    names = (f"{PREFIX}{HEIGHTS}_{name}" for name in MEASURES)
    return dict(zip(names, sums.heights.T, strict=True))


def object_columns(counts: Mapping[str, NDArray[np.int64]]) -> Columns:
    """Return the number of objects of each class."""
    return {f"{PREFIX}objects_{name}": values for name, values in counts.items()}


def joined(layer: PolygonLayer, columns: Columns) -> "GeoDataFrame":
    """Return the layer with columns after its own.

    Raises
    ------
    DataError
        When it has columns of these names.
    """
    existing = {str(name).casefold(): name for name in layer.frame.columns}
    repeated = [existing[name.casefold()] for name in columns if name.casefold() in existing]
    if repeated:
        remedy = f"Give the layer without them, or rename them: no column of it may begin with {PREFIX}."
        raise DataError(layer.path, f"columns {', '.join(map(str, repeated))}", "a layer without results", remedy)
    geometry = layer.frame.geometry.name
    attributes = [name for name in layer.frame.columns if name != geometry]
    return layer.frame.assign(**columns)[[*attributes, *columns, geometry]]


def notes_on(folder: MapFolder, layer: PolygonLayer, frame: "GeoDataFrame") -> list[str]:
    """Return sentences on polygons without maps and on what was mended."""
    missing = frame[f"{PREFIX}no_data"]
    total, without = len(frame), int(frame.geometry.isna().sum())
    outside, part = int((missing == 1).sum()), int(((missing > 0) & (missing < 1)).sum())
    notes = [f"{total} polygons: {outside} have nothing of the maps, and {part} a part without a class (map_no_data)."]
    if layer.mended:
        notes.append(f"Invalid polygons that were made valid: {layer.mended}.")
    if without:
        notes.append(f"Features without a polygon that has an area: {without}; their columns are empty.")
    if folder.layer(HEIGHTS) is None:
        notes.append("The columns of heights are empty: there is no map of heights.")
    return notes
