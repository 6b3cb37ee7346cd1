"""Objects as a city model: CityJSON 2.0, a solid each."""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as Projection

from mtlaerial.objects.columns import COLUMNS
from mtlaerial.objects.ground import GroundHeights
from mtlaerial.objects.solids import extrude, quantised_rings
from mtlaerial.objects.vertex_table import VertexTable
from mtlaerial.rasters.projection import metres_per_unit
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STEP = 0.001
"""Units of the CRS per step of the vertices: a millimetre, in metres."""


def write_city_model(
    parts: Iterable["GeoDataFrame"],
    path: Path,
    title: str,
    crs: str,
    corner: tuple[float, float],
    ground_heights: GroundHeights,
) -> int:
    """Write objects as CityJSON: prisms of their outlines, from the ground up to the median height.

    Classes with "building" in their name become buildings with semantic surfaces, others generic objects. Vertical
    coordinates have the unit of the CRS.

    Parameters
    ----------
    parts : iterable of GeoDataFrame
        Parts of the table of objects, sorted by first pixels.
    path : Path
        The final path.
    title : str
    crs : str
    corner : tuple of float
        West and south of the region: vertices count from there.
    ground_heights : GroundHeights

    Returns
    -------
    int
        Number of objects that are left out: without a ground, or not higher than it by a step.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    origin, projection = np.floor(corner), Projection(crs)
    unit = metres_per_unit(projection)
    number, written = 0, 0
    # Objects go to the file one by one; vertices, which are known last, follow them from a file of their own.
    with (
        writing(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
        TemporaryFile("w+", encoding="utf-8", newline="", dir=path.parent) as vertices,
    ):
        table = VertexTable(vertices)
        file.write('{"type":"CityJSON","version":"2.0","CityObjects":{')
        for part in parts:
            for name, content in _city_objects(part, origin, ground_heights, unit, table):
                file.write(f"{',' if written else ''}{_text(name)}:{_text(content)}")
                written += 1
            number += len(part)
        file.write(f'}},{_text(_header(title, table, origin, projection))[1:-1]},"vertices":[')
        vertices.seek(0)
        copyfileobj(vertices, file)
        file.write("]}")
    return number - written


def _text(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _city_objects(
    part: "GeoDataFrame",
    origin: NDArray[np.float64],
    ground_heights: GroundHeights,
    unit: float,
    table: VertexTable,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and content of each object that has a ground and a height."""
    polygons = np.asarray(part.geometry.array, dtype=object)
    bases = ground_heights(polygons)
    tops = bases + part["height_median"].to_numpy()
    steps = np.stack([bases, tops]) / unit / STEP
    for index, record in enumerate(part.drop(columns=part.geometry.name).to_dict("records")):
        if not np.isfinite(steps[:, index]).all():
            continue
        base, top = (round(value) for value in steps[:, index])
        rings = quantised_rings(polygons[index], origin, STEP)
        if rings is not None and top > base:
            table.forget_north_of(int(rings[0][:, 1].max()))
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


def _header(title: str, table: VertexTable, origin: NDArray[np.float64], crs: Projection) -> dict[str, Any]:
    """Return what a city model holds besides objects and vertices."""
    translation = [float(value) for value in (*origin, 0)]
    metadata: dict[str, Any] = {"title": title}
    if code := crs.to_epsg():
        metadata["referenceSystem"] = f"https://www.opengis.net/def/crs/EPSG/0/{code}"
    if table.count:
        extent = np.array([table.lowest, table.highest]) * STEP + translation
        metadata["geographicalExtent"] = extent.ravel().tolist()
    return {"transform": {"scale": [STEP] * 3, "translate": translation}, "metadata": metadata}
