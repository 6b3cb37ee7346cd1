"""Vector files of footprints: the formats that are read, told by their content before GDAL opens them.

GDAL would also take a text file for a list of other files, a service, or commands, and fetch a CRS from an address.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from mtlaerial.config.crs_text import is_crs_text
from mtlaerial.errors import DataError, system_reason

LARGEST_BYTES = 256 * 2**20
"""Largest GeoJSON file."""
SHAPEFILE = ".shp"
_BESIDE_SHAPEFILE = (".dbf", ".prj", ".shx", ".cpg")
_EXACT = 2**53
"""From here on float64 does not hold all whole numbers."""
_SPATIAL_INDEX = "USING RTREE"
"""The only virtual table of a GeoPackage that reads nothing else."""


def read_vector_file(path: Path) -> Any:
    """Return the features of a vector file as a GeoDataFrame.

    Raises
    ------
    DataError
        When it is of another format than its name says, has no layer with geometries or several, or cannot be read.
    """
    # Here, as the imports take half a second and few data sets have footprints.
    import geopandas as gpd
    import pyogrio

    require_plain(path)
    try:
        # Tables without geometries, such as styles that QGIS saves, have no type of geometry.
        layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
        table = gpd.read_file(path, layer=layers[0], fid_as_index=True) if len(layers) == 1 else None
        if table is not None:
            table = _with_exact_integers(table, path, layers[0]).reset_index(drop=True)
    except Exception as error:
        raise DataError(path, " ".join(str(error).split()), "a vector file", "Get the file anew.") from None
    if table is None:
        observed = f"the layers {', '.join(layers)}" if layers else "no layer with geometries"
        raise DataError(path, observed, "one layer with geometries", "Export the one that counts to a file of its own.")
    return table


def _with_exact_integers(table: Any, path: Path, layer: str) -> Any:
    """Return features with whole numbers of more digits than float64 has as they are.

    Readers give a column of integers with an empty value among them as float64; such a column becomes ``Int64``.

    Parameters
    ----------
    table : GeoDataFrame
        With the numbers of the features as index.
    path : Path
    layer : str
    """
    import pandas as pd
    import pyogrio

    info = pyogrio.read_info(path, layer=layer)
    for name, kind in zip(info["fields"], info["dtypes"], strict=True):
        rounded = kind == "int64" and table[name].dtype == "float64" and table[name].abs().max() >= _EXACT
        if rounded:
            quoted = '"' + name.replace('"', '""') + '"'
            present = pyogrio.read_dataframe(
                path, layer=layer, columns=[name], read_geometry=False, fid_as_index=True, where=f"{quoted} IS NOT NULL"
            )
            table[name] = pd.array(present[name].reindex(table.index, fill_value=0), dtype="Int64")
            table.loc[~table.index.isin(present.index), name] = pd.NA
    return table


def vector_parts(path: Path) -> list[Path]:
    """Return a vector file and, of a shapefile, the existing files with its attributes, CRS, index and encoding."""
    if path.suffix.lower() != SHAPEFILE:
        return [path]
    endings = [(path.with_suffix(ending), path.with_suffix(ending.upper())) for ending in _BESIDE_SHAPEFILE]
    parts = [next((part for part in spellings if part.exists()), None) for spellings in endings]
    return [path, *filter(None, parts)]


def part_versions(path: Path) -> list[list[Any]]:
    """Return path, size and time of each part of a vector file; the path alone of a file that is missing."""
    versions: list[list[Any]] = []
    for part in vector_parts(path):
        versions.append([str(part)])
        with suppress(OSError):
            status = part.stat()
            versions[-1] += [status.st_size, status.st_mtime_ns]
    return versions


def require_plain(path: Path) -> None:
    """Require that a vector file has an accepted format and refers to nothing else.

    Raises
    ------
    DataError
    """
    magic, check = _FORMATS.get(path.suffix.lower(), (None, None))
    try:
        with path.open("rb") as file:
            start = file.read(16)
        if magic is None or not start.startswith(magic):
            observed = f"content beginning with {repr(start)[1:]}" if magic else "another format"
            expected = f"the content of a {path.suffix} file" if magic else f"a vector file ({', '.join(_FORMATS)})"
            raise DataError(path, observed, expected, "Save it as GeoPackage, e.g. with QGIS.")
        if check:
            check(path)
    except OSError as error:
        raise DataError(path, system_reason(error), "a vector file", "Check the path.") from None


def _require_tables(path: Path) -> None:
    """Refuse views and virtual tables in a GeoPackage: SQL in them is run, and may read other files."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'table', 'trigger')"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            rows = database.execute(query).fetchall()
    except sqlite3.Error as error:
        raise DataError(path, f"no database ({error})", "a GeoPackage", "Get the file anew.") from None
    for kind, name, sql in rows:
        virtual = "VIRTUAL" in str(sql).upper() and _SPATIAL_INDEX not in str(sql).upper()
        if kind == "view" or virtual:
            observed = f"the {'virtual table' if virtual else 'view'} {name}"
            raise DataError(path, observed, "tables alone", "Export the layer to a new GeoPackage.")


def _require_features(path: Path) -> None:
    """Refuse JSON that is no GeoJSON, and one whose CRS lies at an address."""
    if path.stat().st_size > LARGEST_BYTES:
        expected = f"GeoJSON of at most {LARGEST_BYTES // 2**20} MB"
        raise DataError(path, "a larger file", expected, "Save it as GeoPackage, e.g. with QGIS.")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"no GeoJSON ({error})", "a FeatureCollection", "Get the file anew.") from None
    kind = content.get("type") if isinstance(content, dict) else type(content).__name__
    if kind != "FeatureCollection":
        raise DataError(path, f"{str(kind)[:60]!r}", "a FeatureCollection", "Save it as GeoJSON, e.g. with QGIS.")
    crs = content.get("crs")
    if crs is not None and not _is_crs_name(crs):
        raise DataError(path, f"the CRS {json.dumps(crs)[:80]}", "the name of a CRS", "Save it anew, e.g. with QGIS.")


def _is_crs_name(crs: Any) -> bool:
    """Tell whether a CRS of GeoJSON is a name: ``{"type": "name", "properties": {"name": ...}}``."""
    properties = crs.get("properties") if isinstance(crs, dict) and crs.get("type") == "name" else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return isinstance(name, str) and is_crs_text(name)


def _unambiguous(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of a key that it has twice, another reader may take the other value."""
    content = dict(pairs)
    if len(content) < len(pairs) and {"type", "crs"}.intersection(content):
        raise ValueError("a key twice")
    return content


_FORMATS: dict[str, tuple[bytes, Callable[[Path], None] | None]] = {
    ".gpkg": (b"SQLite format 3\0", _require_tables),
    ".geojson": (b"", _require_features),
    ".json": (b"", _require_features),
    SHAPEFILE: (b"\0\0\x27\x0a", None),
    ".fgb": (b"fgb\x03", None),
}
"""Accepted formats by ending: their first bytes, and the check of what may refer to other files."""
