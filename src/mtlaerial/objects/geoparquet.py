"""Objects as GeoParquet 1.1."""

from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from mtlaerial.errors import ConfigError
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PACKAGE = "pyarrow"


def require_pyarrow() -> None:
    """Require the package that writes Parquet.

    Raises
    ------
    ConfigError
        When it is not installed.
    """
    if find_spec(PACKAGE) is None:
        remedy = "Install it with: pip install 'mtlaerial[objects]', or choose a name that ends in .gpkg."
        raise ConfigError("--out", f"a name that ends in .parquet, and no package {PACKAGE}", "both", remedy)


def write_geoparquet(frame: "GeoDataFrame", path: Path, metadata: Mapping[str, str]) -> None:
    """Write objects as GeoParquet 1.1, with bounding boxes of rows and metadata of the file.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    from pyarrow import BufferReader, parquet

    with writing(path) as partial:
        # geopandas knows the format's own metadata, and takes no others.
        buffer = BytesIO()
        frame.to_parquet(buffer, schema_version="1.1.0", write_covering_bbox=True, index=False)
        # Without Arrow's threads and Python's file object, whose teardown aborts some processes at their end
        # (github.com/apache/arrow/issues/33975).
        file = parquet.ParquetFile(BufferReader(buffer.getvalue()), pre_buffer=False)
        table = file.read(use_threads=False)
        of_format = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"pandas"}
        table = table.replace_schema_metadata({**of_format, **metadata})
        parquet.write_table(table, partial, compression="zstd")
