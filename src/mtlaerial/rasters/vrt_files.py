"""Files that a VRT reads."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import rasterio

from mtlaerial.errors import DataError


def require_files(source: rasterio.DatasetReader) -> None:
    """Require that the files of a VRT exist: GDAL may report a missing one in its log alone, and read it as 0.

    Other rasters, and sources that are no plain paths (archives, subdatasets), pass.

    Raises
    ------
    DataError
    """
    if source.driver != "VRT":
        return
    missing = sorted({file.as_posix() for file in _plain_files(source) if not file.exists()})
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        observed = f"no file {missing[0]}{more}, which it reads"
        raise DataError(source.name, observed, "a VRT with all its files", "Put them there, or correct the VRT.")


def _plain_files(source: rasterio.DatasetReader) -> Iterator[Path]:
    root = ET.fromstring(source.tags(ns="xml:VRT")["xml:VRT"])
    for tag in ("SourceFilename", "SourceDataset"):
        for element in root.iter(tag):
            name = element.text or ""
            if name and ":" not in name and not name.startswith(("<", "/vsi")):
                folder = Path(source.name).parent if element.get("relativeToVRT") == "1" else Path()
                yield folder / name
