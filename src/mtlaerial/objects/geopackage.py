"""Objects as a GeoPackage."""

import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlaerial.errors import deepest_cause
from mtlaerial.objects.frame import BATCH
from mtlaerial.system.files import discard, writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LAYER = "objects"
_DATE = "1970-01-01T00:00:00.000Z"
"""Time of the last change in the file, a constant: equal objects give equal bytes."""


def write_geopackage(frame: "GeoDataFrame", path: Path, metadata: Mapping[str, str]) -> None:
    """Write objects as a layer of a GeoPackage, with metadata of the layer; see :func:`mtlaerial.system.files.writing`.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    import pyogrio
    from pyogrio.errors import DataSourceError

    logging.getLogger("pyogrio").setLevel(logging.WARNING)  # it logs the number of records
    with writing(path) as partial, _constant_date():
        try:
            for first in range(0, max(len(frame), 1), BATCH):
                once: dict[str, Any] = {"append": True} if first else {"layer_metadata": dict(metadata)}
                part = frame.iloc[first : first + BATCH]
                pyogrio.write_dataframe(part, partial, layer=LAYER, driver="GPKG", geometry_type="Polygon", **once)
            _check_complete(partial, len(frame))
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


def _check_complete(path: Path, count: int) -> None:
    """Count the features in the file, as GDAL only logs a full disk when it closes a file."""
    with closing(sqlite3.connect(path)) as database:
        (found,) = database.execute(f"SELECT COUNT(*) FROM {LAYER}").fetchone()
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != count or verdict != "ok":
        raise OSError(f"an incomplete file ({found} of {count} objects), as on a full disk")
