"""Raster formats that are opened; a file's name and its content must state the same one.

GDAL itself opens a file with any of some 150 drivers, by content: one of a ``.tif`` that holds XML reads other files of
the machine, or fetches from the network.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from mtlaerial.errors import DataError

_HEADER = 4096
"""Bytes of a file that its format is told by; GDAL looks at the first 1024."""


@dataclass(frozen=True)
class Format:
    """A raster format."""

    title: str
    """Its name with an article."""
    driver: str
    """GDAL's driver, the only one that may open the file."""
    suffixes: tuple[str, ...]
    content: re.Pattern[bytes]
    """Pattern of the first bytes of a file."""


VRT = Format("a VRT", "VRT", (".vrt",), re.compile(rb"[^<]{0,9}(<[?!][^<]*){0,9}<VRTDataset"))
"""A list of other files. It is opened only where its name says so, and its files are checked like any other."""
FORMATS = (
    Format("a GeoTIFF", "GTiff", (".tif", ".tiff", ".gtif", ".gtiff"), re.compile(rb"II[*+]\0|MM\0[*+]")),
    Format("a JPEG", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), re.compile(rb"\xff\xd8\xff")),
    Format("a PNG", "PNG", (".png",), re.compile(rb"\x89PNG\r\n\x1a\n")),
    Format(
        "a JPEG 2000",
        "JP2OpenJPEG",
        (".jp2", ".jpx", ".jpf", ".j2k", ".j2c", ".jpc"),
        re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    ),
    Format("an ERDAS Imagine file", "HFA", (".img",), re.compile(rb"EHFA_HEADER_TAG")),
    Format(
        "an ESRI ASCII grid",
        "AAIGrid",
        (".asc",),
        re.compile(rb"(ncols|nrows|[xy]ll(corner|center)|d[xy]|cellsize)\s", re.IGNORECASE),
    ),
    VRT,
)
"""The formats of orthophotos and elevation models, each in every build of GDAL that rasterio ships. Left out, besides
formats that users of aerial images do not have: those that list or fetch other files (WMS, STAC, tile indices), those
that take any bytes for pixels by the word of a second file (ENVI, ESRI BIL), and containers (GeoPackage, HDF5, PDF)."""
_OTHER_DRIVERS = re.compile(rb"<(VRTDataset|GDALTileIndex|GDAL_WMS|OGRVRT)", re.IGNORECASE)
"""XML by which GDAL's drivers for lists of files take a file for theirs, wherever it stands in the header."""


def format_of(path: Path) -> Format:
    """Return the format of a file, by its first bytes.

    Raises
    ------
    DataError
        When it is of no accepted format, or of another one than its name says; `.vrt` alone names a VRT.
    OSError
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
    content = next((each for each in FORMATS if each.content.match(header)), None)
    named = next((each for each in FORMATS if path.suffix.lower() in each.suffixes), None)
    if content is None or (content is not VRT and _OTHER_DRIVERS.search(header)):
        raise _unknown(path, header, named)
    if content is VRT and named is not VRT:
        remedy = "If you trust the files that it lists, rename it to NAME.vrt, and give that name."
        raise DataError(path, "a VRT, which lists other files to read", _expected(named), remedy)
    if named not in (None, content):
        new = shlex.quote(str(path.with_suffix(content.suffixes[0])))
        remedy = f"Rename it: mv {shlex.quote(str(path))} {new}"
        raise DataError(path, f"{content.title}, against its name", _expected(named), remedy)
    return content


_VECTOR = re.compile(rb"SQLite format 3\0|\0\0\x27\x0a|fgb\x03|\s*\{\s*\"(type|crs|name|features|bbox)\"")
"""First bytes of a GeoPackage, a shapefile, a FlatGeobuf file or GeoJSON."""


def _expected(named: Format | None) -> str:
    if named:
        return named.title
    titles = [f"{each.title} ({each.suffixes[0]})" for each in FORMATS]
    return f"{', '.join(titles[:-1])} or {titles[-1]}"


def _unknown(path: Path, header: bytes, named: Format | None) -> DataError:
    if not header:
        return DataError(path, "an empty file", _expected(named), "Get the file anew.")
    source, new = shlex.quote(str(path)), shlex.quote(f"{path.with_suffix('')}_new.tif")
    if _VECTOR.match(header):
        remedy = f"Polygons become labels by: mtlaerial rasterise {source} IMAGE --column COLUMN --out labels.tif"
        return DataError(path, "a vector file", _expected(named), remedy)
    start = repr(header[:12])[1:]
    other = f"If it is a raster of another format, convert it: rio convert {source} {new}"
    remedy = "Get the file anew." if named else other
    return DataError(path, f"content of another kind, beginning with {start}", _expected(named), remedy)
