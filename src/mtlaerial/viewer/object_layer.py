"""Layers of polygons in GeoPackages: objects and zones, read where the map looks at them."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from affine import Affine
from rasterio.warp import transform_bounds

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.viewer.mercator import MERCATOR, Bounds, degrees
from mtlaerial.viewer.source import DENSIFIED, intersection, require_inside

MOST = 4000
"""Most features that are sent at once; a browser draws them at ease."""
SQLITE = b"SQLite format 3\0"
UNITS = {
    "area": "m²",
    "perimeter": "m",
    "height_median": "m",
    "height_p90": "m",
    "height_max": "m",
    "height_lower": "m",
    "height_upper": "m",
    "volume": "m³",
}
"""Units of the columns that `mtlaerial vectorise` writes."""
TALL = "height_median"
"""Column of the height of LoD1 solids, as in city models."""


@dataclass(frozen=True)
class ObjectLayer:
    """A layer of polygons.

    Attributes
    ----------
    key : str
        Its name in addresses.
    title : str
    path : Path
    name : str
        Of the layer in the file.
    features : int
    columns : tuple of str
    bounds : tuple of float
        In metres of Web Mercator.
    crs : object
        Of the coordinates; None of maps without one.
    to_plane : Affine, optional
        From the coordinates of a map without a CRS to the plane.
    """

    key: str
    title: str
    path: Path
    name: str
    features: int
    columns: tuple[str, ...]
    bounds: Bounds
    crs: Any
    to_plane: Affine | None

    def named(self, key: str, title: str) -> Self:
        """Return the layer with a key and a title."""
        return replace(self, key=key, title=title)

    def as_json(self) -> dict[str, Any]:
        """Return what the page needs to know of it."""
        return {
            "key": self.key,
            "title": self.title,
            "features": self.features,
            "bounds": degrees(self.bounds),
            "tall": TALL if TALL in self.columns else None,
            "units": {column: UNITS[column] for column in self.columns if column in UNITS},
        }

    def within(self, bounds: Bounds) -> dict[str, Any]:
        """Return the features that meet bounds in metres of Web Mercator, as GeoJSON, at most ``MOST``.

        Its member ``complete`` tells whether these are all.

        Raises
        ------
        DataError
            When the file cannot be read.
        """
        from pyogrio import read_dataframe

        shared = intersection(self.bounds, bounds)
        if shared is None:
            return {**_EMPTY, "complete": True}
        try:
            frame = read_dataframe(self.path, layer=self.name, bbox=self._own(shared), max_features=MOST + 1)
        except Exception as error:  # of pyogrio, GDAL and shapely
            raise _unreadable(self.path, error) from None
        shown = frame.iloc[:MOST]
        if self.to_plane is not None:
            a, b, c, d, e, f = self.to_plane[:6]
            shown = shown.set_geometry(shown.geometry.affine_transform([a, b, d, e, c, f])).set_crs(3857)
        features = json.loads(shown.to_crs(4326).to_json(drop_id=True)) if len(shown) else _EMPTY
        return {**features, "complete": len(frame) <= MOST}

    def _own(self, bounds: Bounds) -> Bounds:
        """Return bounds in the layer's own coordinates."""
        if self.to_plane is not None:
            return _boxed(~self.to_plane, bounds)
        west, south, east, north = transform_bounds(MERCATOR, self.crs.to_wkt(), *bounds, densify_pts=DENSIFIED)
        return west, south, east, north


_EMPTY: Mapping[str, Any] = {"type": "FeatureCollection", "features": []}


def read_object_layers(path: Path, root: Path, to_plane: Affine | None) -> Iterator[ObjectLayer]:
    """Yield the layers of polygons of a GeoPackage.

    Parameters
    ----------
    path : Path
    root : Path
        Folder outside of which nothing is read.
    to_plane : Affine, optional
        From the coordinates of a map without a CRS to the plane.

    Raises
    ------
    DataError
        When it is no GeoPackage, or lies outside the folder.
    """
    from pyogrio import list_layers, read_info
    from pyproj import CRS

    require_inside(path, root)
    try:
        with path.open("rb") as file:
            if file.read(len(SQLITE)) != SQLITE:
                raise DataError(path, "content of another kind", "a GeoPackage", "Write it anew.")
        kinds = {str(name): str(kind) for name, kind in list_layers(path)}
        for name in (name for name, kind in kinds.items() if "Polygon" in kind):
            info = read_info(path, layer=name, force_total_bounds=True, force_feature_count=True)
            if not info["features"] or not np.isfinite(info["total_bounds"]).all():
                continue
            crs = CRS.from_user_input(info["crs"]) if info["crs"] and _has_place(path, name) else None
            bounds = _bounds(path, crs, tuple(info["total_bounds"]), to_plane)
            columns = tuple(str(column) for column in info["fields"])
            title = path.stem if name in ("objects", path.stem) else f"{path.stem}: {name}"
            yield ObjectLayer(
                "", title, path, name, int(info["features"]), columns, bounds, crs, None if crs else to_plane
            )
    except DataError:
        raise
    except Exception as error:  # of pyogrio, GDAL, pyproj and SQLite
        raise _unreadable(path, error) from None


def _bounds(path: Path, crs: Any, bounds: Bounds, to_plane: Affine | None) -> Bounds:
    """Return bounds in metres of Web Mercator."""
    if crs is not None:
        west, south, east, north = transform_bounds(crs.to_wkt(), MERCATOR, *bounds, densify_pts=DENSIFIED)
        return west, south, east, north
    if to_plane is None:
        raise DataError(path, "no CRS", "the CRS of the maps beside it", "Put it beside the maps it was made of.")
    return _boxed(to_plane, bounds)


def _boxed(transform: Affine, bounds: Bounds) -> Bounds:
    """Return the bounds around a transformed rectangle without rotation."""
    first, second = transform @ bounds[:2], transform @ bounds[2:]
    (west, east), (south, north) = (sorted(pair) for pair in zip(first, second, strict=True))
    return west, south, east, north


def _has_place(path: Path, layer: str) -> bool:
    """Return whether a layer names a CRS; -1 and 0 are GeoPackage's numbers for none, which GDAL names as one."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        query = "SELECT srs_id FROM gpkg_geometry_columns WHERE table_name = ?"
        row = database.execute(query, (layer,)).fetchone()
    return bool(row) and row[0] not in (-1, 0)


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(path, deepest_cause(error), "a GeoPackage that GDAL reads", "Get the file anew.")
