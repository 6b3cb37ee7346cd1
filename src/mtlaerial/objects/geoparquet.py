"""Objects as GeoParquet 1.1."""

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtlaerial.errors import ConfigError
from mtlaerial.system.files import writing

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

PACKAGE = "pyarrow"
_KEY = b"geo"
"""Of the metadata of GeoParquet in a file."""


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


def write_geoparquet(parts: Iterable["GeoDataFrame"], path: Path, metadata: Mapping[str, str]) -> None:
    """Write parts of a table, one at least, as GeoParquet 1.1, with bounding boxes of rows and metadata of the file.

    Raises
    ------
    DataError
        When the folder is not writable or the disk is full.
    """
    from pyarrow import parquet

    with writing(path) as partial, ExitStack() as stack:
        writer = None
        of_format: dict[str, Any] = {}
        for part in parts:
            table = _arrow_table(part)
            of_format = _united(of_format, json.loads(table.schema.metadata[_KEY]))
            # Arrow's own schema in the file would hide the metadata that come at its end from Arrow's readers.
            writer = writer or stack.enter_context(
                parquet.ParquetWriter(partial, table.schema, compression="zstd", store_schema=False)
            )
            writer.write_table(table)
        assert writer, "an empty table is a part, too"
        writer.add_key_value_metadata({_KEY.decode(): json.dumps(of_format), **metadata})


def _arrow_table(frame: "GeoDataFrame") -> Any:
    """Return a table as Arrow, with the metadata of GeoParquet, of which GeoPandas writes whole files alone."""
    from pyarrow import BufferReader, parquet

    buffer = BytesIO()
    frame.to_parquet(buffer, schema_version="1.1.0", write_covering_bbox=True, index=False)
    # Without Arrow's threads and Python's file object, whose teardown aborts some processes at their end
    # (github.com/apache/arrow/issues/33975).
    return parquet.ParquetFile(BufferReader(buffer.getvalue()), pre_buffer=False).read(use_threads=False)


def _united(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of GeoParquet of two parts: bounds and types of geometries are those of both."""
    if not first:
        return second
    one, other = (content["columns"][content["primary_column"]] for content in (first, second))
    boxes = np.array([one["bbox"], other["bbox"]])
    one["bbox"] = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    one["geometry_types"] = sorted({*one["geometry_types"], *other["geometry_types"]})
    return first
