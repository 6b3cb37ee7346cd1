"""Files of objects: a format by its suffix."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtlaerial.datasets.geopackage import write_geopackage
from mtlaerial.errors import ConfigError, DataError
from mtlaerial.objects.city_model import write_city_model
from mtlaerial.objects.geoparquet import require_pyarrow, write_geoparquet
from mtlaerial.objects.ground import ground_under
from mtlaerial.objects.object_store import ObjectStore
from mtlaerial.rasters.grid import Grid
from mtlaerial.system.files import require_place

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CITY_MODEL = ".json"
LAYER = "objects"
_WRITERS: dict[str, Callable[[Iterator["GeoDataFrame"], Path, Mapping[str, str]], None]] = {
    ".gpkg": lambda parts, path, metadata: write_geopackage(parts, path, LAYER, "Polygon", metadata),
    ".parquet": write_geoparquet,
}


def require_writable(out: Path, ground: Path | None, replace: bool) -> None:
    """Refuse a file of an unknown format, one that exists or cannot be written, and a ground model it has no use for.

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
    require_place(out)


def write_objects(
    store: ObjectStore, grid: Grid, out: Path, metadata: Mapping[str, str], ground: Path | None
) -> list[str]:
    """Write objects in the format of a file's suffix, and return sentences on what the format made of them.

    Parameters
    ----------
    store : ObjectStore
    grid : Grid
        Of the region.
    out : Path
    metadata : mapping of str to str
    ground : Path, optional
        Ground model, for a city model.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full, or the ground model cannot be used.
    """
    suffix = out.suffix.lower()
    if suffix != CITY_MODEL:
        _WRITERS[suffix](store.parts(), out, metadata)
        return []
    notes = []
    if ground is None:
        notes.append("The city model stands on height 0: no ground model is given (--ground DTM.tif).")
    title = "; ".join(f"{key}: {value}" for key, value in metadata.items())
    with ground_under(ground, store.crs) as ground_heights:
        left_out = write_city_model(store.parts(), out, title, store.crs, grid.bounds[:2], ground_heights)
    if left_out:
        notes.append(f"{left_out} objects are not in the city model: no ground under them, or no height above it.")
    return notes
