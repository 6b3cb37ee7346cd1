"""GeoPackages: complete or absent, with the same bytes for the same features."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.system.files import discard, writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

SUFFIX = ".gpkg"
_DATE = "1970-01-01T00:00:00.000Z"
"""Time of the last change in the file, a constant: equal features give equal bytes."""


def require_geopackage(path: Path, replace: bool) -> None:
    """Refuse a place for a GeoPackage that has another suffix, or a file that is not to be replaced.

    Raises
    ------
    DataError
    """
    if path.suffix.lower() != SUFFIX:
        raise DataError(path, f"the suffix {path.suffix or 'of no format'}", SUFFIX, f"Name it {path.stem}{SUFFIX}.")
    if path.exists() and not replace:
        raise DataError(path, "a file", "a place without one", "Choose another --out, or add --replace.")


def write_geopackage(
    parts: Iterable["GeoDataFrame"],
    path: Path,
    layer: str,
    geometry_type: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write features as the layer of a GeoPackage, with metadata; see :func:`mtlaerial.system.files.writing`.

    Parameters
    ----------
    parts : iterable of GeoDataFrame
        Parts of the table, one at least, of which one is in memory at a time.
    path : Path
    layer : str
        Name of the layer.
    geometry_type : str
        Of the features, e.g. ``Polygon``.
    metadata : mapping of str to str, optional
        Of the layer.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    import pyogrio
    from pyogrio.errors import DataSourceError

    logging.getLogger("pyogrio").setLevel(logging.WARNING)  # it reports each file that it writes
    with writing(path) as partial, _constant_date():
        try:
            count = 0
            once: dict[str, Any] = {"layer_metadata": metadata and dict(metadata)}
            for part in parts:
                pyogrio.write_dataframe(part, partial, layer=layer, driver="GPKG", geometry_type=geometry_type, **once)
                count += len(part)
                once = {"append": True}
            _check_complete(partial, layer, count)
        except (DataSourceError, RuntimeError, sqlite3.Error) as error:
            raise OSError(f"GDAL's error {deepest_cause(error)}") from error
        finally:
            discard(partial.with_name(f"{partial.name}-journal"))


@contextmanager
def _constant_date() -> Iterator[None]:
    """Make GDAL write a constant time of the last change."""
    import pyogrio

    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _check_complete(path: Path, layer: str, count: int) -> None:
    """Count the features in the file, as GDAL only logs a full disk when it closes a file."""
    with closing(sqlite3.connect(path)) as database:
        (found,) = database.execute(f"SELECT COUNT(*) FROM {layer}").fetchone()
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != count or verdict != "ok":
        raise OSError(f"an incomplete file ({found} of {count} features), as on a full disk")
