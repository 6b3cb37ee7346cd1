"""Indexes of images: vector files of footprints with the field ``location``, as gdaltindex and rasterio users have."""

from pathlib import Path
from typing import Any

from mtlaerial.datasets.vector_file import read_vector_file
from mtlaerial.errors import DataError

FIELD = "location"
"""The field of a GDAL tile index that names each footprint's raster."""
_PARQUET = (".parquet", ".geoparquet")
INDEXES = (".gpkg", ".geojson", ".json", ".shp", ".fgb", *_PARQUET)
"""Endings of indexes."""


def indexed_images(path: Path) -> list[str]:
    """Return the paths of the images that an index names; relative ones are relative to the index.

    Raises
    ------
    DataError
        When it is no vector file, or lacks the field, or names something else than files of this machine.
    """
    features = _read(path)
    if FIELD not in features.columns:
        observed = f"the fields {', '.join(map(str, features.columns)) or 'none'}"
        raise DataError(path, observed, f"a tile index with the field {FIELD}", "Make one, e.g. with gdaltindex.")
    names = [name for name in features[FIELD] if isinstance(name, str) and name.strip()]
    if len(names) < len(features):
        observed = f"{len(features) - len(names)} footprints without a {FIELD}"
        raise DataError(path, observed, "a file for each", "Remove them, or name their files.")
    if not names:
        raise DataError(path, "an index without images", "a footprint for each image", "Make it anew.")
    # An address in a file that somebody else made is not one that the user asked for.
    remote = next((name for name in names if "://" in name or name.startswith("/vsi")), None)
    if remote:
        remedy = "Give addresses on the command line or in a list, or download the files."
        raise DataError(path, f"the address {remote[:100]}", "files of this machine", remedy)
    return [str(path.parent / name) for name in names]


def _read(path: Path) -> Any:
    if path.suffix.lower() not in _PARQUET:
        return read_vector_file(path)
    import geopandas as gpd  # here, as the import takes half a second

    try:
        # Arrow's threads abort some processes at their end (github.com/apache/arrow/issues/33975).
        return gpd.read_parquet(path, use_threads=False, pre_buffer=False)
    except ImportError:
        remedy = "Install pyarrow, or save the index as GeoPackage."
        raise DataError(path, "a GeoParquet file, and no pyarrow", "an index that can be read", remedy) from None
    except Exception as error:
        raise DataError(path, " ".join(str(error).split()), "a GeoParquet file", "Get the file anew.") from None
