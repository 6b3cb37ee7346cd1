"""Check points as a vector file: drawn for people to label, and read back with their labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray

from mtlaerial.accuracy.class_map import ClassMap
from mtlaerial.accuracy.drawing import Pixels
from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError

REFERENCE, REFERENCE_HEIGHT, MAP_CLASS, MAP_ID = "reference", "reference_height", "map_class", "map_id"
"""Columns: what people fill in, the mapped class, and the map that a point was drawn from."""
DRAWN = "drawn"
"""Column with the numbers of points that were drawn of all classes, the same in each row; files of before have none."""
_SEPARATOR = ", "


class LabelledPoints(NamedTuple):
    """Points with what people and the map say of them, arrays of shape (points,).

    ``references`` are indices of classes, -1 without a label; ``heights`` are metres, NaN without one.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    references: NDArray[np.int64]
    heights: NDArray[np.float64]
    mapped: NDArray[np.object_] | None
    """Names of the mapped classes in the file; None of points that hide them."""
    drawn: NDArray[np.int64] | None
    """Number of points that were drawn of each class; None where the file does not say it."""
    largest_id: int
    """At least as many points were drawn: ids are numbers from 1."""


def point_table(class_map: ClassMap, pixels: Pixels, identity: str, blind: bool) -> Any:
    """Return a GeoDataFrame of points at the centres of pixels, with empty columns for the reference.

    Parameters
    ----------
    class_map : ClassMap
    pixels : Pixels
    identity : str
        Of the map; see :meth:`ClassMap.identity`.
    blind : bool
        Leave the column of the mapped class out.
    """
    import geopandas as gpd

    x, y = _centres(class_map.grid.transform, pixels.rows, pixels.columns)
    number = len(x)
    columns = {
        "id": np.arange(1, number + 1),
        REFERENCE: pd.array([None] * number, dtype="string"),
        REFERENCE_HEIGHT: np.full(number, np.nan),
        "classes": _SEPARATOR.join(class_map.names),
        DRAWN: _SEPARATOR.join(map(str, np.bincount(pixels.codes, minlength=len(class_map.names)))),
        "x": x,
        "y": y,
        MAP_ID: identity,
    }
    if not blind:
        columns[MAP_CLASS] = np.array(class_map.names)[pixels.codes]
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(x, y), crs=class_map.crs)


def read_points(path: Path, class_map: ClassMap, identity: str) -> LabelledPoints:
    """Return the points in a file, on the pixels of the map that they were drawn from.

    Raises
    ------
    DataError
        When the file lacks a column, is of another map, has points that were moved, or labels that are no class or no
        height.
    """
    table = read_vector_file(path)
    _require_columns(path, table)
    _require_map(path, table, class_map, identity)
    table = table.sort_values("id", ignore_index=True)  # intervals by resampling follow the order of points
    rows, columns = _pixels(path, table, class_map)
    mapped = table[MAP_CLASS].to_numpy(dtype=object) if MAP_CLASS in table.columns else None
    references = _references(path, table[REFERENCE], class_map.names)
    heights, drawn = _heights(path, table[REFERENCE_HEIGHT]), _drawn(path, table, class_map.names)
    largest_id = pd.to_numeric(table["id"], errors="coerce").max()
    return LabelledPoints(rows, columns, references, heights, mapped, drawn, int(np.nan_to_num(largest_id)))


def _require_columns(path: Path, table: Any) -> None:
    needed = ("id", REFERENCE, REFERENCE_HEIGHT, "x", "y", MAP_ID)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        observed = f"no column {', '.join(missing)}"
        raise DataError(path, observed, "the points of mtlaerial sample with all their columns", "Draw them again.")
    repeated = table["id"][table["id"].duplicated()]
    if len(repeated):
        raise DataError(path, f"the id {repeated.iloc[0]} twice", "each point once", "Remove one of the two.")


def _require_map(path: Path, table: Any, class_map: ClassMap, identity: str) -> None:
    others = sorted(set(table[MAP_ID].astype(str)) - {identity})
    if len(table) == 0 or others:
        observed = f"points of the map {others[0]}" if others else "no points"
        expected = f"points that were drawn from {class_map.path}, {identity}"
        raise DataError(path, observed, expected, "Give the folder of their maps, or draw points of this one.")


def _pixels(path: Path, table: Any, class_map: ClassMap) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of each point; its geometry has to lie where it was drawn."""
    grid = class_map.grid
    kinds = sorted(set(table.geometry.geom_type.dropna()) - {"Point"})
    if kinds:
        remedy = "Label the file that sample wrote, or save it as points."
        raise DataError(path, f"a {kinds[0]}", "points alone", remedy)
    x, y = (pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64) for name in ("x", "y"))
    inverse = ~grid.transform
    # A place that was edited to be no number is that of a point that was moved.
    rows = np.floor(np.nan_to_num(inverse.d * x + inverse.e * y + inverse.f, nan=-1)).astype(np.int64)
    columns = np.floor(np.nan_to_num(inverse.a * x + inverse.b * y + inverse.c, nan=-1)).astype(np.int64)
    placed = table.geometry.to_crs(class_map.crs) if table.crs is not None else table.geometry
    distance = np.hypot(placed.x.to_numpy() - x, placed.y.to_numpy() - y)
    outside = (rows < 0) | (rows >= grid.height) | (columns < 0) | (columns >= grid.width)
    moved = outside | ~(distance < min(grid.pixel_size) / 2)
    if moved.any():
        observed = f"{moved.sum()} points that were moved, the first with the id {table['id'][moved].iloc[0]}"
        raise DataError(path, observed, "points where they were drawn", "Label the file that sample wrote.")
    return rows, columns


def _references(path: Path, labels: Any, names: Sequence[str]) -> NDArray[np.int64]:
    texts = labels.fillna("").astype(str).str.strip()
    codes = {name: code for code, name in enumerate(names)}
    unknown = sorted(set(texts) - set(codes) - {""})
    if unknown:
        number = int((texts == unknown[0]).sum())
        observed = f"the class {unknown[0]!r} in the column {REFERENCE} of {number} points"
        raise DataError(path, observed, f"one of {_SEPARATOR.join(names)}", "Correct its name.")
    return np.array([codes.get(text, -1) for text in texts], dtype=np.int64)


def _heights(path: Path, values: Any) -> NDArray[np.float64]:
    heights = np.asarray(pd.to_numeric(values, errors="coerce"), dtype=np.float64)
    invalid = (np.isnan(heights) & values.notna().to_numpy()) | np.isinf(heights)
    if invalid.any():
        observed = f"{str(values[invalid].iloc[0])!r} in the column {REFERENCE_HEIGHT}"
        raise DataError(path, observed, "metres above ground, or nothing", "Correct it.")
    return heights


def _drawn(path: Path, table: Any, names: Sequence[str]) -> NDArray[np.int64] | None:
    if DRAWN not in table.columns:
        return None
    text = str(table[DRAWN].iloc[0])
    numbers = text.split(_SEPARATOR)
    if len(numbers) != len(names) or not all(number.isdecimal() for number in numbers):
        expected = f"the number of points that were drawn of each of {_SEPARATOR.join(names)}"
        raise DataError(path, f"{text!r} in the column {DRAWN}", expected, "Restore the column, or remove it.")
    return np.array(numbers, dtype=np.int64)


def _centres(
    transform: Affine, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = transform.a * (columns + 0.5) + transform.b * (rows + 0.5) + transform.c
    y = transform.d * (columns + 0.5) + transform.e * (rows + 0.5) + transform.f
    return x, y
