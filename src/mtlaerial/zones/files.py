"""Files of zonal statistics: a format by its suffix."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mtlaerial.datasets.geopackage import write_geopackage
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LAYER = "polygons"
_OF_FORMAT = ("fid", "geom")
"""Columns that GDAL gives a GeoPackage."""


def require_writable(outs: Sequence[Path], replace: bool) -> None:
    """Refuse files of unknown formats and files that exist.

    Raises
    ------
    UserError
    """
    for out in outs:
        if out.suffix.lower() not in _WRITERS:
            expected = "a name that ends in .gpkg (GeoPackage) or .csv (without polygons)"
            raise ConfigError("--out", out.name, expected, f"For example --out {out.stem}.gpkg.")
        if out.exists() and not replace:
            raise DataError(out, "a file", "none", "Choose another --out, or add --replace.")


def write_zones(frame: "GeoDataFrame", out: Path, metadata: Mapping[str, str]) -> None:
    """Write polygons and statistics in the format of a file's suffix.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    _WRITERS[out.suffix.lower()](frame, out, metadata)


def _write_geopackage(frame: "GeoDataFrame", path: Path, metadata: Mapping[str, str]) -> None:
    """Write polygons; where one of them has several parts, all are such, as a layer has one type.

    An attribute of the name of a column of the format is called ``NAME_source``.
    """
    frame = frame.rename(columns={name: f"{name}_source" for name in frame if str(name).casefold() in _OF_FORMAT})
    shapes = np.array(frame.geometry, dtype=object)
    kinds = set(frame.geometry.geom_type.dropna())
    if "MultiPolygon" in kinds:
        single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        shapes[single] = [shapely.MultiPolygon([shape]) for shape in shapes[single]]
        frame = frame.set_geometry(shapes, crs=frame.crs)
    write_geopackage([frame], path, LAYER, "MultiPolygon" if "MultiPolygon" in kinds else "Polygon", metadata)


def _write_csv(frame: "GeoDataFrame", path: Path, _metadata: Mapping[str, str]) -> None:
    buffer = BytesIO()
    frame.drop(columns=frame.geometry.name).to_csv(buffer, index=False, lineterminator="\n", float_format="%.9g")
    with writing(path) as partial:
        partial.write_bytes(buffer.getvalue())


_WRITERS: dict[str, Callable[["GeoDataFrame", Path, Mapping[str, str]], None]] = {
    ".gpkg": _write_geopackage,
    ".csv": _write_csv,
}
