"""Files of objects: a format by its suffix."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtlaerial.datasets.geopackage import write_geopackage
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.objects.city_model import write_city_model
from mtlaerial.objects.geoparquet import require_pyarrow, write_geoparquet
from mtlaerial.objects.ground import base_heights

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CITY_MODEL = ".json"
LAYER = "objects"
_WRITERS: dict[str, Callable[["GeoDataFrame", Path, Mapping[str, str]], None]] = {
    ".gpkg": lambda frame, path, metadata: write_geopackage(frame, path, LAYER, "Polygon", metadata),
    ".parquet": write_geoparquet,
}


def require_writable(out: Path, ground: Path | None, replace: bool) -> None:
    """Refuse a file of an unknown format, a file that exists, and a ground model that the format has no use for.

    Raises
    ------
    UserError
    """
    suffix = out.suffix.lower()
    if suffix not in (*_WRITERS, CITY_MODEL):
        expected = "a name that ends in .gpkg (GeoPackage), .parquet (GeoParquet) or .city.json (CityJSON)"
        raise ConfigError("--out", out.name, expected, "For example --out buildings.gpkg.")
    if ground is not None and suffix != CITY_MODEL:
        expected = f"a city model to stand on it: --out {out.stem}.city.json"
        raise ConfigError("--ground", f"a ground model for {out.name}", expected, "Leave it out, or change --out.")
    if suffix == ".parquet":
        require_pyarrow()
    if out.exists() and not replace:
        raise DataError(out, "a file", "none", "Choose another --out, or add --replace.")


def write_objects(frame: "GeoDataFrame", out: Path, metadata: Mapping[str, str], ground: Path | None) -> list[str]:
    """Write objects in the format of a file's suffix, and return sentences on what the format made of them.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full, or the ground model cannot be used.
    """
    suffix = out.suffix.lower()
    if suffix != CITY_MODEL:
        _WRITERS[suffix](frame, out, metadata)
        return []
    notes = []
    if ground is None:
        bases = np.zeros(len(frame))
        notes.append("The city model stands on height 0: no ground model is given (--ground DTM.tif).")
    else:
        bases = base_heights(frame, ground)
    title = "; ".join(f"{key}: {value}" for key, value in metadata.items())
    left_out = write_city_model(frame, out, title, bases)
    if left_out:
        notes.append(f"{left_out} objects are not in the city model: no ground under them, or no height above it.")
    return notes
