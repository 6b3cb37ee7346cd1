"""Files of zonal statistics: a format by its suffix."""

from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from mtlaerial.datasets.geopackage import SUFFIX, write_geopackage
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LAYER = "polygons"
_FORMATS = (SUFFIX, ".csv")
_OF_FORMAT = ("fid", "geom")
"""Columns that GDAL gives a GeoPackage."""


def require_writable(outs: Sequence[Path], replace: bool) -> None:
    """Refuse files of unknown formats and files that exist.

    Raises
    ------
    UserError
    """
    for out in outs:
        if out.suffix.lower() not in _FORMATS:
            expected = "a name that ends in .gpkg (GeoPackage) or .csv (without polygons)"
            raise ConfigError("--out", out.name, expected, f"For example --out {out.stem}.gpkg.")
        if out.exists() and not replace:
            raise DataError(out, "a file", "none", "Choose another --out, or add --replace.")


def write_zones(frame: "GeoDataFrame", out: Path, metadata: Mapping[str, str], statistics: Collection[str]) -> None:
    """Write polygons and statistics in the format of a file's suffix.

    Parameters
    ----------
    frame : GeoDataFrame
    out : Path
    metadata : mapping of str to str
        Of the layer of a GeoPackage.
    statistics : collection of str
        Columns that are no attributes of the polygons; a table has nine digits of them.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    if out.suffix.lower() == SUFFIX:
        _write_geopackage(frame, out, metadata)
    else:
        _write_csv(frame, out, statistics)


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


def _write_csv(frame: "GeoDataFrame", path: Path, statistics: Collection[str]) -> None:
    """Write a table; attributes are written in full, as identifiers and areas of parcels have more digits."""
    table = frame.drop(columns=frame.geometry.name)
    for name in table.select_dtypes("floating"):
        column = table[name]
        # Readers give whole numbers with an empty value among them as float64: these become whole again.
        table[name] = column.map("{:.9g}".format, na_action="ignore") if name in statistics else column.convert_dtypes()
    buffer = BytesIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    with writing(path) as partial:
        partial.write_bytes(buffer.getvalue())
