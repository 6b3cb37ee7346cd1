"""Objects as a city model: CityJSON 2.0, a solid each."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtlaerial.objects.columns import COLUMNS
from mtlaerial.objects.solids import VertexTable, extrude, quantised_rings
from mtlaerial.rasters.projection import metres_per_unit
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STEP = 0.001
"""Units of the CRS per step of the vertices: a millimetre, in metres."""


def write_city_model(frame: "GeoDataFrame", path: Path, title: str, bases: NDArray[np.float64]) -> int:
    """Write objects as CityJSON: prisms of their outlines, from the ground up to the median height.

    Classes with "building" in their name become buildings with semantic surfaces, others generic objects. Vertical
    coordinates have the unit of the CRS.

    Parameters
    ----------
    frame : GeoDataFrame
        The table of objects.
    path : Path
        The final path.
    title : str
    bases : array of float64, metres
        Height of the ground under each object; NaN where it is not known.

    Returns
    -------
    int
        Number of objects that are left out: without a ground, or not higher than it by a step.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    table = VertexTable()
    origin = np.floor(frame.total_bounds[:2]) if len(frame) else np.zeros(2)
    written = 0
    # Objects go to the file one by one; the vertices, whose number is known last, follow them.
    with writing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.write('{"type":"CityJSON","version":"2.0","CityObjects":{')
        for name, content in _city_objects(frame, bases, origin, table):
            file.write(f"{',' if written else ''}{_text(name)}:{_text(content)}")
            written += 1
        file.write(f"}},{_text(_remainder(title, table, origin, frame.crs))[1:]}")
    return len(frame) - written


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _city_objects(
    frame: "GeoDataFrame", bases: NDArray[np.float64], origin: NDArray[np.float64], table: VertexTable
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and content of each object that has a ground and a height."""
    tops = bases + frame["height_median"].to_numpy()
    steps = np.stack([bases, tops]) / metres_per_unit(frame.crs) / STEP
    polygons = np.asarray(frame.geometry.array, dtype=object)
    for index, record in enumerate(frame.drop(columns=frame.geometry.name).to_dict("records")):
        if not np.isfinite(steps[:, index]).all():
            continue
        base, top = (round(value) for value in steps[:, index])
        rings = quantised_rings(polygons[index], origin, STEP)
        if rings is not None and top > base:
            solid = extrude(rings, base, top, table)
            yield f"{record['class']}-{record['id']}", _city_object(record, solid.geometry(_is_building(record)))


def _city_object(record: dict[str, Any], geometry: dict[str, Any]) -> dict[str, Any]:
    attributes = {column.name: record[column.name] for column in COLUMNS}
    for name, value in attributes.items():
        if isinstance(value, float) and math.isnan(value):
            attributes[name] = None
    kind = "Building" if _is_building(record) else "GenericCityObject"
    return {"type": kind, "attributes": attributes, "geometry": [geometry]}


def _is_building(record: dict[str, Any]) -> bool:
    return "building" in record["class"].lower()


def _remainder(title: str, table: VertexTable, origin: NDArray[np.float64], crs: Any) -> dict[str, Any]:
    """Return what a city model holds besides its objects."""
    vertices = table.vertices
    metadata: dict[str, Any] = {"title": title}
    if code := crs.to_epsg():
        metadata["referenceSystem"] = f"https://www.opengis.net/def/crs/EPSG/0/{code}"
    translation = [float(value) for value in (*origin, 0)]
    if vertices:
        corners = np.array(vertices) * STEP + translation
        metadata["geographicalExtent"] = [*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()]
    return {"transform": {"scale": [STEP] * 3, "translate": translation}, "metadata": metadata, "vertices": vertices}
