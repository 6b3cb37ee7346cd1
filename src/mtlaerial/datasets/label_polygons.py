"""Polygons of labels: the code of each, and their places in the CRS of an image."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.crs import CRS

from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError
from mtlaerial.rasters.grid import Grid

UNLABELLED = 0
"""Code of pixels that no polygon covers."""
LARGEST_CODE = 255


@dataclass(frozen=True)
class LabelPolygons:
    """Polygons with codes.

    Attributes
    ----------
    frame : GeoDataFrame
        The polygons, in the order of their file.
    codes : dict of str to int
        Code of each class name.
    values : array of uint8, shape (polygons,)
        Code of each polygon.
    """

    frame: Any
    codes: dict[str, int]
    values: NDArray[np.uint8]
    _trees: dict[str, shapely.STRtree] = field(default_factory=dict)

    def tree(self, crs: CRS | None) -> shapely.STRtree:
        """Return an index of the polygons in a CRS; tiles of one CRS share it."""
        text = crs.to_wkt() if crs else ""
        if text not in self._trees:
            self._trees[text] = shapely.STRtree(np.asarray(self.frame.geometry.to_crs(text)))
        return self._trees[text]

    def shapes(self, crs: CRS | None) -> NDArray[np.object_]:
        """Return the polygons in a CRS, in the order of their file."""
        return np.asarray(self.tree(crs).geometries)

    def reach(self, grid: Grid) -> bool:
        """Tell whether any polygon lies on a grid."""
        return bool(self.tree(grid.crs).query(shapely.box(*grid.bounds), predicate="intersects").size)


def outline(grid: Grid) -> Any:
    """Return the edge of a grid as a polygon."""
    corners = ((0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height))
    return shapely.Polygon([grid.transform @ corner for corner in corners])


def read_label_polygons(path: Path, column: str) -> LabelPolygons:
    """Return the polygons of a vector file with the codes of their classes.

    Raises
    ------
    DataError
        When the file cannot be read, the column is missing or has other values, or a feature is no polygon.
    """
    frame = read_vector_file(path)
    codes, values = _codes(path, frame, column)
    _require_polygons(path, frame)
    return LabelPolygons(frame, codes, values)


def _codes(path: Path, frame: Any, column: str) -> tuple[dict[str, int], NDArray[np.uint8]]:
    """Return the code of each class name, and that of each feature."""
    columns = [str(name) for name in frame.columns if name != frame.geometry.name]
    if column not in columns:
        raise DataError(path, f"the columns {', '.join(columns)}", f"a column {column}", "Correct --column.")
    entries = frame[column]
    empty = int(entries.isna().sum()) + sum(isinstance(entry, str) and not entry.strip() for entry in entries)
    if empty:
        observed = f"{empty} features whose {column} is empty"
        raise DataError(path, observed, "a class for each", "Fill them in, or delete the features.")
    if all(isinstance(entry, str) for entry in entries):
        names = sorted(set(entries), key=lambda name: (name.casefold(), name))
        codes = {name: code for code, name in enumerate(names, start=1)}
        if len(names) > LARGEST_CODE:
            expected = f"names of at most {LARGEST_CODE} classes"
            raise DataError(path, f"{len(names)} values of {column}", expected, "Choose another --column.")
        return codes, np.array([codes[entry] for entry in entries], np.uint8)
    whole = [_whole_number(entry) for entry in entries]
    wrong = next((str(entry) for entry, number in zip(entries, whole, strict=True) if number is None), None)
    if wrong is not None:
        expected = f"names, or whole numbers from 1 to {LARGEST_CODE} ({UNLABELLED} is for pixels in no polygon)"
        raise DataError(path, f"{wrong} in {column}", expected, "Correct the column, or choose another --column.")
    values = np.array(whole, np.uint8)
    return {f"class {code}": code for code in np.unique(values).tolist()}, values


def _whole_number(entry: Any) -> int | None:
    """Return a number of a feature as code, or None if it is none."""
    if isinstance(entry, (str, bool, np.bool_)) or not np.isreal(entry):
        return None
    return int(entry) if float(entry).is_integer() and 1 <= entry <= LARGEST_CODE else None


def _require_polygons(path: Path, frame: Any) -> None:
    kinds = sorted(set(frame.geom_type.dropna()) - {"Polygon", "MultiPolygon"})
    if kinds or frame.geometry.isna().any():
        observed = f"features of type {', '.join(kinds)}" if kinds else "features without a geometry"
        raise DataError(path, observed, "polygons alone", "Delete the others, or save the polygons to a new file.")
    if frame.crs is None:
        raise DataError(path, "no CRS", "polygons with a CRS", "Set the layer's CRS, e.g. with QGIS, and save it anew.")
