"""GeoPackages: complete or absent, with the same bytes for the same features."""

import errno
from pathlib import Path
from typing import Any

from mtlaerial.errors import DataError, deepest_cause
from mtlaerial.system.files import writing

SUFFIX = ".gpkg"
_DATE = "2000-01-01T00:00:00Z"
"""Date of change in the file, which would differ from run to run."""


def require_geopackage(path: Path, replace: bool) -> None:
    """Refuse a place for a GeoPackage that has another suffix, or a file that is not to be replaced.

    Raises
    ------
    DataError
    """
    if path.suffix != SUFFIX:
        raise DataError(path, f"the suffix {path.suffix or 'of no format'}", SUFFIX, f"Name it {path.stem}{SUFFIX}.")
    if path.exists() and not replace:
        raise DataError(path, "a file", "a place without one", "Choose another --out, or add --replace.")


def write_geopackage(table: Any, path: Path, layer: str) -> None:
    """Write a GeoDataFrame as the only layer of a GeoPackage.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    import pyogrio

    with writing(path) as partial:
        earlier = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _DATE})
        try:
            table.to_file(partial, layer=layer, driver="GPKG", engine="pyogrio")
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise OSError(errno.EIO, deepest_cause(error)) from error
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": earlier})
